import type { Instant } from "../../domain/calendar/index.ts";
import { type StretchUsage, stretchesOf, type UsageUntil } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { type MeasuredPeriod, periodUsages } from "./period-usage.ts";
import type { StoredRun } from "./rating-runs.ts";

/**
 * What had been used in a period by each of these instants inside it, to be rated as the whole period is.
 * @param billed the run that billed the period before: then also what it saw of that; null where none did
 */
export async function usageUntil(
  tx: Tx,
  measured: MeasuredPeriod,
  instants: readonly Instant[],
  billed: Pick<StoredRun, "kind" | "snapshot" | "ratedAt"> | null,
): Promise<UsageUntil[]> {
  if (instants.length === 0) return [];
  const usage = await readUntil(tx, measured, instants);
  if (billed === null) return instants.map((at, index) => ({ at, usage: usage[index] ?? [] }));
  // At a threshold the period went on, and levels counted until then.
  const levels = billed.kind === "threshold" ? { levelsUntil: billed.ratedAt } : {};
  const before = await readUntil(tx, { ...measured, visibleIn: billed.snapshot, ...levels }, instants);
  return instants.map((at, index) => ({ at, usage: usage[index] ?? [], before: before[index] ?? [] }));
}

async function readUntil(
  tx: Tx,
  measured: MeasuredPeriod,
  instants: readonly Instant[],
): Promise<StretchUsage[][]> {
  const { period, terms } = measured;
  const whole = stretchesOf(terms, period);
  const read = await periodUsages(
    tx,
    instants.map((at) => ({ ...measured, period: { start: period.start, end: at } })),
  );
  return read.map((usage) =>
    usage.map((until, place) => ({ ...until, stretch: whole[place] ?? until.stretch })),
  );
}
