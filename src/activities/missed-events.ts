import {
  moveImportPosition,
  positionAfter,
  readImportPosition,
  sinceOf,
} from "../db/billing/import-positions.ts";
import { receiveMissed } from "../db/billing/webhook-inbox.ts";
import { inTransaction } from "../db/database.ts";
import type { ActivityDependencies } from "./dependencies.ts";

/** Read again with every pass. */
const overlapMs = 10 * 60_000;

/**
 * Reads the next page of the events that Stripe has made, and puts those into the inbox whose webhook has not come. Every page
 * commits with how far it goes; what is in the inbox already stays as it is.
 */
export async function takeInMissedEvents({ db, rail }: Pick<ActivityDependencies, "db" | "rail">): Promise<{
  readonly missed: number;
  readonly hasMore: boolean;
}> {
  const from = await readImportPosition(db.orm, "events");
  const page = { since: sinceOf(from, overlapMs), after: from.passAfter };
  const { events, hasMore } = await rail.listEvents(page);
  const goesOn = hasMore && events.length > 0;
  const to = positionAfter(from, events, goesOn);
  const missed = await inTransaction(db, async (tx) => {
    const received = await receiveMissed(tx, events);
    await moveImportPosition(tx, "events", from, to);
    return received;
  });
  return { missed, hasMore: goesOn };
}
