import { type AnomalyKind, type AnomalyRule, type Deviation, unusual } from "../../domain/anomalies/index.ts";
import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import { type Database, inSnapshot } from "../database.ts";
import { anomalyRules, type NewAnomaly, openAnomalies } from "./anomalies.ts";
import { type Candidate, candidatesMax, candidatesOf, type Look } from "./candidates.ts";

/** What came up longer ago is not looked at: somebody would have complained. */
const lookbackMs = 3 * 86_400_000;

/** One pass over what came up lately: opens a case for each thing that is unusual. Gives how many cases are new. */
export async function findAnomalies(db: Database, now: Instant): Promise<number> {
  const since = instantOfEpochMs(now - lookbackMs);
  let opened = 0;
  for (const rule of await anomalyRules(db.orm)) {
    if (!rule.isWatched) continue;
    let after: string | undefined = "";
    while (after !== undefined) {
      const look: Look = { since, now, after };
      const candidates: readonly Candidate[] = await inSnapshot(db, (tx) =>
        candidatesOf(tx, rule.kind, look),
      );
      const found = candidates.flatMap((candidate) => judged(candidate, rule, now) ?? []);
      opened += await openAnomalies(db.orm, found);
      after = candidates.length < candidatesMax ? undefined : candidates.at(-1)?.key;
    }
  }
  return opened;
}

/** Kinds that are measured by what was usual; all others by a limit alone. */
const compared: ReadonlySet<AnomalyKind> = new Set([
  "usage_spike",
  "invoice_unlike_history",
  "unusual_credit",
]);

function judged(candidate: Candidate, rule: AnomalyRule, now: Instant): NewAnomaly | undefined {
  const { key, customerId, subjectType, subjectId, figure, before, shown } = candidate;
  const evidence = evidenceOf(BigInt(figure), before.map(BigInt), rule);
  if (evidence === undefined) return undefined;
  const { kind } = rule;
  return { kind, key, customerId, subjectType, subjectId, foundAt: now, evidence: { ...shown, ...evidence } };
}

function evidenceOf(figure: bigint, before: readonly bigint[], rule: AnomalyRule) {
  const found = { figure: `${figure}`, threshold: `${rule.amountMin}` };
  if (compared.has(rule.kind)) {
    const deviation = unusual(figure, before, rule);
    // A day or a credit is unusual by being much, an invoice by being little too.
    const isOfInterest = rule.kind === "invoice_unlike_history" || (deviation?.tenths ?? 0n) > 0n;
    return deviation && isOfInterest
      ? { ...found, ...deviationText(deviation, before.length, rule) }
      : undefined;
  }
  if (rule.kind === "zero_invoice") {
    return before.length >= rule.historyMin && before.some((each) => each > 0n) ? found : undefined;
  }
  const size = figure < 0n ? -figure : figure;
  return size >= rule.amountMin ? found : undefined;
}

const deviationText = ({ median, spread, tenths }: Deviation, count: number, rule: AnomalyRule) => ({
  median: `${median}`,
  spread: `${spread}`,
  tenths: `${tenths}`,
  tenths_threshold: `${rule.tenthsMin}`,
  compared_with: `${count}`,
});
