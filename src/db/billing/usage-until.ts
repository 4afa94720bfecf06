import type { Instant } from "../../domain/calendar/index.ts";
import { type PeriodFacts, stretchesOf } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { type MeasuredPeriod, periodUsages } from "./period-usage.ts";

/** What had been used in a period by each of these instants inside it, to be rated as the whole period is. */
export async function usageUntil(
  tx: Tx,
  measured: MeasuredPeriod,
  instants: readonly Instant[],
): Promise<NonNullable<PeriodFacts["usageUntil"]>> {
  const { period, terms } = measured;
  const whole = stretchesOf(terms, period);
  const read = await periodUsages(
    tx,
    instants.map((at) => ({ ...measured, period: { start: period.start, end: at } })),
  );
  return instants.map((at, index) => ({
    at,
    usage: (read[index] ?? []).map((until, place) => ({ ...until, stretch: whole[place] ?? until.stretch })),
  }));
}
