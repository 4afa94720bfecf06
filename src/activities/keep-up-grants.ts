import {
  customersWithDueGrants,
  dueGrantsOnClock,
  dueRecurring,
  endableGrantsOf,
  nextInstant,
  recurringOf,
  type StoredRecurring,
  setNextOccurrence,
} from "../db/billing/recurring-grants.ts";
import { lockCustomer } from "../db/billing/subscriptions.ts";
import type { StoredTestClock } from "../db/billing/test-clocks.ts";
import { type Database, inTransaction, type Tx } from "../db/database.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { isGiven, occurrenceGrantId, timesDue } from "../domain/credits/index.ts";
import { invariant } from "../domain/errors.ts";
import { endGrant } from "./end-grant.ts";
import { issueGrant } from "./issue-grant.ts";

export interface KeptUp {
  /** Times that credit was given. */
  readonly given: number;
  /** Grants that have ended. */
  readonly ended: number;
}

/**
 * Gives what recurring grants have to give by now, and ends what has run out of time, of some customers, each in a
 * transaction of his own. Any number of workers may do it at once: who comes second finds nothing to do.
 * @param now the wall's time; who is on a test clock has the clock's
 */
export async function keepUpAllGrants(
  db: Database,
  now: Instant,
  customersMax = 100,
): Promise<KeptUp & { readonly hasMore: boolean }> {
  const due = await customersWithDueGrants(db.orm, now, customersMax);
  let [given, ended] = [0, 0];
  for (const { customerId, asOf } of due) {
    const kept = await inTransaction(db, async (tx) => {
      await lockCustomer(tx, customerId);
      return await keepUpGrants(tx, customerId, asOf);
    });
    given += kept.given;
    ended += kept.ended;
  }
  return { given, ended, hasMore: due.length === customersMax && given + ended > 0 };
}

/**
 * The same of the customers of a test clock, in the transaction that moves it on, before anybody is woken: each thing at its own
 * instant, as if time had passed.
 */
export async function keepUpGrantsOnClock(tx: Tx, clock: StoredTestClock, until: Instant): Promise<void> {
  const { id, currentAt } = clock;
  for (const { customerId, at } of await dueGrantsOnClock(tx, id, { after: null, until })) {
    await lockCustomer(tx, customerId);
    // What could not be done in its time is done now.
    let next: Instant | undefined = at > currentAt ? at : currentAt;
    while (next !== undefined) {
      const after: Instant = next;
      await keepUpGrants(tx, customerId, after);
      [next] = (await dueGrantsOnClock(tx, id, { after, until }, customerId)).map((due) => due.at);
    }
  }
}

/** The same of one customer, in the caller's transaction, which holds the customer's lock. Done twice, it is done once. */
export async function keepUpGrants(tx: Tx, customerId: string, asOf: Instant): Promise<KeptUp> {
  const [due, endable] = await Promise.all([
    dueRecurring(tx, customerId, asOf),
    endableGrantsOf(tx, customerId, asOf),
  ]);
  let given = 0;
  for (const recurring of due) given += await give(tx, recurring, asOf);
  // What was given late may have run out of time by now.
  const ended = given + endable.length === 0 ? 0 : await endDueGrants(tx, customerId, asOf);
  return { given, ended };
}

/** Gives each time that has come. One that was over before anybody agreed to it is left out. */
async function give(tx: Tx, stored: StoredRecurring, asOf: Instant): Promise<number> {
  const recurring = recurringOf(stored);
  const { activeSince, endedAt } = stored;
  invariant(activeSince !== null, "what is active is so since some time");
  const due = timesDue({ recurring, nextOccurrence: stored.nextOccurrence }, asOf);
  const agreed = due.filter((time) => isGiven(time, { activeSince, endedAt }));
  for (const { number, start, end } of agreed) {
    const id = occurrenceGrantId(stored.id, number);
    const times = { occurrence: number, effectiveAt: start, expiresAt: end, rolledOverFrom: null };
    await issueGrant(tx, stored, { id, amount: recurring.amount, ...times }, `grant/${stored.id}/${number}`);
  }
  const next = stored.nextOccurrence + due.length;
  await setNextOccurrence(tx, stored.id, next, endedAt === null ? nextInstant(recurring, next) : null);
  return agreed.length;
}

/** Ends what has run out of time. Gives how many grants that were. */
export async function endDueGrants(tx: Tx, customerId: string, asOf: Instant): Promise<number> {
  let ended = 0;
  for (const id of await endableGrantsOf(tx, customerId, asOf)) if (await endGrant(tx, id, asOf)) ended += 1;
  // What went over may itself have run out of time since.
  return ended === 0 ? 0 : ended + (await endDueGrants(tx, customerId, asOf));
}
