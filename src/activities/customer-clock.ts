import { testClockOf } from "../db/billing/test-clocks.ts";
import { type Instant, isoOf } from "../domain/calendar/index.ts";
import type { ClockReading } from "../workflows/messages.ts";
import type { ActivityDependencies } from "./dependencies.ts";

/** What time it is for a customer, and what a run is told of it. */
export async function customerClock(
  { db, now }: Pick<ActivityDependencies, "db" | "now">,
  customerId: string,
): Promise<{ readonly at: Instant; readonly reading: ClockReading | null }> {
  const clock = await testClockOf(db.orm, customerId);
  if (clock === undefined) return { at: now(), reading: null };
  return { at: clock.currentAt, reading: { clockId: clock.id, now: isoOf(clock.currentAt) } };
}
