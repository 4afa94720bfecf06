/** When and how often a failed payment is tried again, and what follows when it never succeeds. */
export interface DunningPolicy {
  /** Days after the failed first attempt, ascending: one attempt each. */
  readonly retryAfterDays: readonly number[];
  readonly finalAction: "cancel" | "uncollectible" | "pause";
  /** How long the product stays usable after the first failure; separate from the retries. */
  readonly accessGraceDays: number;
}

/**
 * soft: the same card may succeed later. hard: never this card again.
 * authentication: the cardholder must act. (Classes of Stripe's decline codes.)
 */
export type DeclineClass = "soft" | "hard" | "authentication";

export type DunningStep =
  /** Try the card on file at this instant. */
  | { readonly kind: "attempt"; readonly at: number }
  /** Only a new payment method can help; give up at this instant. */
  | { readonly kind: "await_payment_method"; readonly until: number }
  | { readonly kind: "give_up" };

const dayMs = 86_400_000;

/**
 * What comes next: the schedule is counted from the first failure and by scheduled attempts only,
 * so an attempt the customer causes never uses up one of ours.
 *
 * @param startedAt epoch milliseconds of the first failure
 * @param scheduledAttempts how many attempts of the schedule have been made
 */
export function nextDunningStep(
  policy: DunningPolicy,
  startedAt: number,
  scheduledAttempts: number,
  lastDecline: DeclineClass,
): DunningStep {
  const offsets = policy.retryAfterDays;
  const nextOffset = offsets[scheduledAttempts];
  if (nextOffset === undefined) return { kind: "give_up" };
  if (lastDecline === "soft") return { kind: "attempt", at: startedAt + nextOffset * dayMs };
  return { kind: "await_payment_method", until: startedAt + Math.max(...offsets) * dayMs };
}

/**
 * How many attempts of the schedule were due until now. Those that passed while only a new payment method could help
 * are not made up for: one charge after the other in one moment helps nobody.
 *
 * @param startedAt epoch milliseconds of the first failure
 */
export function attemptsDue({ retryAfterDays }: DunningPolicy, startedAt: number, now: number): number {
  return retryAfterDays.filter((days) => startedAt + days * dayMs <= now).length;
}

/** Until when the product stays usable though the invoice is not paid, as epoch milliseconds. */
export function accessEndsAt({ accessGraceDays }: DunningPolicy, startedAt: number): number {
  return startedAt + accessGraceDays * dayMs;
}

/** For an invoice that belongs to no plan, such as a purchase of credits: nothing but the invoice is given up. */
export const defaultDunningPolicy: DunningPolicy = {
  retryAfterDays: [3, 5, 7],
  finalAction: "uncollectible",
  accessGraceDays: 7,
};
