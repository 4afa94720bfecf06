import { testClockOf } from "../db/test-clocks.ts";
import type { Instant } from "../domain/calendar/index.ts";
import type { ApiDependencies } from "./dependencies.ts";

/** What time it is for a customer: on their test clock, or on the wall. */
export async function timeOfCustomer(
  { db, now }: Pick<ApiDependencies, "db" | "now">,
  customerId: string,
): Promise<Instant> {
  return (await testClockOf(db.orm, customerId))?.currentAt ?? now();
}
