import { testClockOf } from "../../db/billing/test-clocks.ts";
import type { Database } from "../../db/database.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ClockReading } from "../../workflows/messages.ts";

/** What a run that is started for a customer is told about time; null on the wall clock. */
export async function clockReadingOf(db: Database, customerId: string): Promise<ClockReading | null> {
  const clock = await testClockOf(db.orm, customerId);
  return clock === undefined ? null : { clockId: clock.id, now: isoOf(clock.currentAt) };
}
