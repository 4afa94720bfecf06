/** What is looked for, and what a case of it means. */
export const anomalyKinds = [
  "usage_spike",
  "invoice_unlike_history",
  "zero_invoice",
  "negative_line",
  "unusual_credit",
  "late_usage",
  "stuck_period",
  "unmatched_stripe",
] as const;
export type AnomalyKind = (typeof anomalyKinds)[number];

export const anomalyStates = ["open", "investigating", "resolved", "expected"] as const;
export type AnomalyState = (typeof anomalyStates)[number];

/** What a kind is looked for by; as data, so that it is changed without a release. */
export interface AnomalyRule {
  readonly kind: AnomalyKind;
  readonly isWatched: boolean;
  /** So many spreads from the median are unusual, in tenths; of kinds that compare nothing it is not asked. */
  readonly tenthsMin: number;
  /** Less than so many earlier figures say nothing about what is usual. */
  readonly historyMin: number;
  /** Differences below this many minor units, units of a meter or hours are nobody's concern. */
  readonly amountMin: bigint;
}
