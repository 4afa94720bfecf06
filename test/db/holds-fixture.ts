import { expect } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { usualLimits } from "../../src/db/invariants/invariant-query.ts";
import { pendingInvariants } from "../../src/db/invariants/pending-invariants.ts";
import {
  expireHolds,
  type HoldStatus,
  placeHolds,
  type ReleaseStatus,
  releaseHolds,
  type SettlementStatus,
  settleHolds,
} from "../../src/db/ledger/holds.ts";
import { type Instant, instant } from "../../src/domain/calendar/index.ts";
import {
  type AccountRef,
  accountKey,
  type HoldDraft,
  type HoldLine,
  type JournalEntryDraft,
} from "../../src/domain/ledger/index.ts";
import { ledgerAmount } from "../../src/domain/money/index.ts";
import {
  at,
  draft,
  expectInvariants,
  grantOf,
  type LedgerFixture,
  move,
  revenue,
  usd,
} from "./ledger-fixture.ts";

/** When the holds of the tests expire, an hour after they are placed. */
export const expiry = instant("2026-01-15T01:00:00Z");

export const line = (account: AccountRef, amount: bigint, atMost?: bigint): HoldLine => ({
  account,
  amount: ledgerAmount(amount),
  ...(atMost === undefined ? {} : { atMost: ledgerAmount(atMost) }),
});

/** A hold of acme whose cause is its own key. */
export const hold = (
  sourceKey: string,
  lines: readonly HoldLine[],
  over: Partial<HoldDraft> = {},
): HoldDraft => ({
  sourceKey,
  customerId: "acme",
  currency: usd,
  cause: { type: "request", id: sourceKey },
  placedAt: at,
  expiresAt: expiry,
  lines,
  ...over,
});

/** Sets an amount of one grant aside. */
export const reserve = (sourceKey: string, grantId: string, amount: bigint, atMost?: bigint): HoldDraft =>
  hold(sourceKey, [line(grantOf(grantId), amount, atMost)]);

/** What a request did cost, taken from a grant. */
export const cost = (holdKey: string, grantId: string, amount: bigint): JournalEntryDraft =>
  draft(`${holdKey}/settled`, [move(grantOf(grantId), revenue, amount)]);

/** The functions of holds, each call in a transaction of its own, as statuses. */
export const holdsOf = ({ db }: Pick<LedgerFixture, "db">) => ({
  async place(...drafts: HoldDraft[]): Promise<HoldStatus[]> {
    const results = await inTransaction(db, (tx) => placeHolds(tx, drafts));
    return results.map(({ status }) => status);
  },
  async settle(holdKey: string, entry: JournalEntryDraft): Promise<SettlementStatus | undefined> {
    const [result] = await inTransaction(db, (tx) => settleHolds(tx, [{ holdKey, entry }]));
    return result?.status;
  },
  async release(holdKey: string): Promise<ReleaseStatus | undefined> {
    return (await inTransaction(db, (tx) => releaseHolds(tx, [holdKey], at))).get(holdKey);
  },
  expire: (until: Instant, holdsMax?: number): Promise<number> =>
    inTransaction(db, (tx) => expireHolds(tx, until, holdsMax)),
  /** What an account has, and what of it is set aside. */
  async standing(account: AccountRef): Promise<{ balance: bigint; held: bigint }> {
    const [found] = await db.sql<{ balance: string; held: string }[]>`
      select balance, held from ledger.balance where key = ${accountKey(account)}`;
    return { balance: BigInt(found?.balance ?? 0), held: BigInt(found?.held ?? 0) };
  },
});

/** Every invariant of the ledger, and that no hold is open past its expiry. */
export async function expectNothingPending({ db }: Pick<LedgerFixture, "db">): Promise<void> {
  await expectInvariants(db);
  const [query] = pendingInvariants(usualLimits).filter(({ name }) => name.includes("hold"));
  expect(query?.name).toMatch(/^V12: every hold/);
  expect([...(await db.sql.unsafe(query?.sql ?? ""))]).toEqual([]);
}
