import { refusePushes } from "../db/billing/meter-push-sending.ts";
import { inTransaction } from "../db/database.ts";
import { meterError } from "../db/schema/stripe.ts";
import type { ActivityDependencies } from "./dependencies.ts";

/** Writes down what Stripe's meters took and did not count; what is named of it is told anew in a day. Once for each event. */
export async function noteMeterErrors(
  { db, rail }: Pick<ActivityDependencies, "db" | "rail">,
  eventId: string,
): Promise<void> {
  const found = await rail.meters.errorsOf(eventId);
  await inTransaction(db, async (tx) => {
    for (const { code, identifiers, from, until, stripeMeterId, errors } of found) {
      const noticed = { noticedFrom: from, noticedUntil: until };
      const row = { eventId, code, stripeMeterId, errors, identifiers: [...identifiers], ...noticed };
      await tx.insert(meterError).values(row).onConflictDoNothing();
      await refusePushes(tx, identifiers, code);
    }
  });
}
