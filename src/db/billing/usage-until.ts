import type { Instant } from "../../domain/calendar/index.ts";
import { type PeriodFacts, stretchesOf } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { type MeasuredPeriod, periodUsage } from "./period-usage.ts";

/** What had been used in a period by each of these instants inside it, to be rated as the whole period is. */
export async function usageUntil(
  tx: Tx,
  measured: MeasuredPeriod,
  instants: readonly Instant[],
): Promise<NonNullable<PeriodFacts["usageUntil"]>> {
  const { period, terms } = measured;
  const whole = stretchesOf(terms, period);
  const found = [];
  for (const at of instants) {
    const read = await periodUsage(tx, { ...measured, period: { start: period.start, end: at } });
    const usage = read.map((until, index) => ({ ...until, stretch: whole[index] ?? until.stretch }));
    found.push({ at, usage });
  }
  return found;
}
