import type { Schemas } from "../../sdk/index.ts";
import { formatAmount } from "../format/amount.ts";
import { formatQuantity } from "../format/quantity.ts";
import { wordsFor } from "../format/words.ts";

export type Anomaly = Schemas["Anomaly"];

export const anomalyKinds: readonly Anomaly["kind"][] = [
  "usage_spike",
  "invoice_unlike_history",
  "zero_invoice",
  "negative_line",
  "unusual_credit",
  "late_usage",
  "stuck_period",
  "unmatched_stripe",
];
export const anomalyStates: readonly Anomaly["state"][] = ["open", "investigating", "resolved", "expected"];

/** What is unusual, in a sentence. */
export function describeAnomaly({ kind, evidence }: Pick<Anomaly, "kind" | "evidence">): string {
  const figure = (text = evidence.figure ?? "0") =>
    evidence.currency === undefined ? formatQuantity(text) : formatAmount(text, evidence.currency);
  const usual = evidence.median === undefined ? "" : `, where ${figure(evidence.median)} is usual`;
  switch (kind) {
    case "usage_spike":
      return `${figure()} of ${evidence.meter} on ${evidence.day}${usual}`;
    case "invoice_unlike_history":
      return `Invoice ${evidence.number} comes to ${figure()}${usual}`;
    case "zero_invoice":
      return `Invoice ${evidence.number} comes to nothing, as those before it did not`;
    case "negative_line":
      return `Line ${evidence.line} of invoice ${evidence.number} is ${figure()}`;
    case "unusual_credit":
      return `${figure()} of credit by ${evidence.by}${usual}`;
    case "late_usage":
      return `${figure()} of late usage on invoice ${evidence.number}`;
    case "stuck_period":
      return `A period should have been closed ${figure()} hours ago`;
    default:
      return `${evidence.type ?? "An object"} at Stripe matches nothing here`;
  }
}

const evidenceNames: Readonly<Record<string, string>> = {
  figure: "Found",
  threshold: "Least difference of concern",
  median: "Median of those before",
  spread: "Spread of those before",
  tenths: "Spreads away",
  tenths_threshold: "Unusual from",
  compared_with: "Compared with",
};
const amounts: ReadonlySet<string> = new Set(["figure", "threshold", "median", "spread"]);
const inTenths: ReadonlySet<string> = new Set(["tenths", "tenths_threshold"]);

/** The figures of a case with their names, as people read them. */
export function evidenceOf({ evidence }: Pick<Anomaly, "evidence">) {
  const { currency, ...rest } = evidence;
  return Object.entries(rest).map(([key, text]) => ({
    key,
    name: evidenceNames[key] ?? wordsFor(key),
    value: shown(key, text, currency),
  }));
}

function shown(key: string, text: string, currency: string | undefined): string {
  if (inTenths.has(key)) return `${asDecimal(text)} spreads`;
  if (!amounts.has(key)) return text;
  return currency === undefined ? formatQuantity(text) : formatAmount(text, currency);
}

/** How it was found: the arithmetic with its figures, for whoever doubts it. */
export function explainAnomaly({ evidence }: Pick<Anomaly, "evidence">): string {
  const { tenths, tenths_threshold, compared_with, currency } = evidence;
  const [figure = "0", threshold = "0", median, spread] = ["figure", "threshold", "median", "spread"].map(
    (key) => (evidence[key] === undefined ? undefined : shown(key, evidence[key], currency)),
  );
  if (median === undefined || spread === undefined) {
    return `It was found by a limit alone: ${figure} against ${threshold}.`;
  }
  return (
    `It was compared with ${compared_with} before it. The middle one of them is ${median}; half of them are at most ${spread} ` +
    `away from that, or a twentieth of it where they are closer. (${figure} − ${median}) ÷ ${spread} is ${asDecimal(tenths)} ` +
    `spreads; ${asDecimal(tenths_threshold)} and more are unusual. A few wild figures move neither the middle nor the spread.`
  );
}

const asDecimal = (tenths = "0"): string => (Number(tenths) / 10).toFixed(1).replace("-", "−");
