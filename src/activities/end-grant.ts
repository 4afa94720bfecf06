import {
  accountOfGrant,
  findGrant,
  insertGrantEnd,
  openRollovers,
  type StoredGrant,
} from "../db/billing/credit-grants.ts";
import { findRecurring, recurringOf, type StoredRecurring } from "../db/billing/recurring-grants.ts";
import type { Tx } from "../db/database.ts";
import { availableBalances } from "../db/ledger/ledger.ts";
import { tellExpired } from "../db/notices/notices-of-facts.ts";
import type { Instant } from "../domain/calendar/index.ts";
import {
  carriedOver,
  keptWithin,
  type Rollover,
  rolloverExpiry,
  rolloverGrantId,
} from "../domain/credits/index.ts";
import { invariant } from "../domain/errors.ts";
import { grantExpired } from "../domain/ledger/index.ts";
import { type LedgerAmount, ledgerAmount } from "../domain/money/index.ts";
import { entryFactsOf, issueGrant } from "./issue-grant.ts";
import { book } from "./issue-invoice.ts";

/**
 * Ends a grant that has run out of time; what is left goes over to the next time, or is lost.
 * @returns false when a running request has set some of it aside: then it ends when that is resolved
 */
export async function endGrant(tx: Tx, id: string, asOf: Instant): Promise<boolean> {
  const grant = await findGrant(tx, id);
  invariant(grant?.expiresAt, "what ends has a time at which it does");
  const [balance] = await availableBalances(tx, [accountOfGrant(grant)]);
  const held = balance?.balance ?? ledgerAmount(0n);
  if (balance !== undefined && balance.available < held) return false;
  const ending = { held, endedAt: grant.expiresAt, asOf };
  const next = await followingTime(tx, grant);
  if (next === null) await close(tx, grant, { ...ending, cause: "expired", rolledOver: ledgerAmount(0n) });
  else await rollOver(tx, grant, next, ending);
  return true;
}

interface FollowingTime {
  readonly recurring: StoredRecurring;
  readonly rollover: Rollover;
  readonly occurrence: number;
}

/** The time that follows a recurring grant's one, if anything goes over to it. */
async function followingTime(tx: Tx, grant: StoredGrant): Promise<FollowingTime | null> {
  const { recurringGrantId, occurrence, rolledOverFrom, expiresAt } = grant;
  if (recurringGrantId === null || occurrence === null || rolledOverFrom !== null) return null;
  const recurring = await findRecurring(tx, recurringGrantId);
  invariant(recurring && expiresAt, "a time belongs to a recurring grant, and ends");
  const { rollover } = recurringOf(recurring);
  const isLast = recurring.expiresAt !== null && recurring.expiresAt <= expiresAt;
  const wasStopped = recurring.endedAt !== null && recurring.endedAt <= expiresAt;
  return rollover === null || isLast || wasStopped
    ? null
    : { recurring, rollover, occurrence: occurrence + 1 };
}

interface Ending {
  readonly held: LedgerAmount;
  readonly endedAt: Instant;
  readonly asOf: Instant;
}

async function rollOver(
  tx: Tx,
  grant: StoredGrant,
  { recurring, rollover, occurrence }: FollowingTime,
  ending: Ending,
): Promise<void> {
  const { held, endedAt } = ending;
  const carried = carriedOver(held, rollover);
  const open = (await openRollovers(tx, recurring.id)).filter(
    ({ grant: { expiresAt } }) => expiresAt === null || expiresAt > endedAt,
  );
  const kept = keptWithin([...open.map((bucket) => bucket.held), carried], rollover.cap);
  const amount = kept.at(-1) ?? carried;
  await close(tx, grant, { ...ending, cause: "expired", rolledOver: amount < held ? amount : held });
  for (const [index, bucket] of open.entries()) {
    const keeps = kept[index] ?? bucket.held;
    if (keeps < bucket.held && bucket.available === bucket.held) {
      await trim(tx, recurring, bucket.grant, { ...ending, held: bucket.held, keeps, occurrence });
    }
  }
  if (amount === 0n) return;
  const id = rolloverGrantId(recurring.id, occurrence);
  const expiresAt = rolloverExpiry(endedAt, rollover, recurring.timeZone);
  const next = { id, amount, occurrence, effectiveAt: endedAt, expiresAt, rolledOverFrom: grant.id };
  await issueGrant(tx, recurring, next, `grant/${recurring.id}/${occurrence}/rollover`);
}

/** All that went over is more than it may be together: an older part ends, and what it may keep goes on as a grant of its own. */
async function trim(
  tx: Tx,
  recurring: StoredRecurring,
  grant: StoredGrant,
  { keeps, occurrence, ...ending }: Ending & { readonly keeps: LedgerAmount; readonly occurrence: number },
): Promise<void> {
  await close(tx, grant, { ...ending, cause: "capped", rolledOver: keeps });
  if (keeps === 0n) return;
  const { expiresAt } = grant;
  const id = `${rolloverGrantId(recurring.id, grant.occurrence ?? 0)}.${occurrence}`;
  const times = { effectiveAt: ending.endedAt, expiresAt, occurrence: grant.occurrence };
  const next = { ...times, id, amount: keeps, rolledOverFrom: grant.id };
  await issueGrant(tx, recurring, next, `grant/${recurring.id}/${grant.occurrence}/rollover/${occurrence}`);
}

async function close(
  tx: Tx,
  grant: StoredGrant,
  {
    cause,
    held,
    rolledOver,
    endedAt,
    asOf,
  }: Ending & { readonly cause: "expired" | "capped"; readonly rolledOver: LedgerAmount },
): Promise<void> {
  const { id: grantId, kind } = grant;
  await insertGrantEnd(tx, { grantId, cause, held, rolledOver, endedAt, settledAt: asOf });
  // Effective when it is settled: what was drawn for the time before is effective after that time too.
  const facts = entryFactsOf(grant, `credit-grant/${grantId}/expired`, endedAt, asOf);
  const entry = grantExpired({ ...facts, grantId, kind, remaining: held });
  if (entry !== null) await book(tx, [entry]);
  if (cause === "expired" && held > rolledOver) await tellExpired(tx, grant, endedAt);
}
