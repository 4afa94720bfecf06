import { setTimeout as wait } from "node:timers/promises";
import type { SQL } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { inTransaction, rows, sql } from "../../src/db/database.ts";
import { accountBalance, type PostingResult } from "../../src/db/ledger/ledger.ts";
import { type LedgerWriter, openLedgerWriter } from "../../src/db/ledger/ledger-writer.ts";
import { type AccountRef, type JournalEntryDraft, receivable } from "../../src/domain/ledger/index.ts";
import { currency } from "../../src/domain/money/index.ts";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import {
  draft,
  expectInvariants,
  fees,
  fund,
  grantOf,
  type LedgerFixture,
  move,
  openLedger,
  revenue,
  spend,
  usd,
} from "./ledger-fixture.ts";

let ledger: LedgerFixture;
let writer: LedgerWriter;

beforeAll(async () => {
  ledger = await openLedger({ poolSize: 8 });
  writer = openLedgerWriter({ url: ledger.appUrl });
});

afterEach(() => expectInvariants(ledger.db));

afterAll(async () => {
  await writer.close();
  await ledger.close();
});

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** An entry of a customer of its own. */
const entry = (sourceKey: string, amount = 1n) =>
  draft(sourceKey, [move(receivable(sourceKey, usd), revenue, amount)]);

type Outcome = PostingResult | Error;

const outcomesOf = (drafts: readonly JournalEntryDraft[], by = writer): Promise<Outcome[]> =>
  Promise.all(drafts.map((each) => by.post(each).catch((error: Error) => error)));

/** How often each status, or each code of an error. */
function tally(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) {
    const name = outcome instanceof Error ? codeOf(outcome) : outcome.status;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const codeOf = (error: Error) => String((error as { code?: unknown }).code ?? error);

/** How many of these keys are in the ledger. Keys are unique, so more than once is refused by the database. */
async function countEntries(prefix: string): Promise<number> {
  const [row] = await ledger.db.sql<[{ count: bigint }]>`
    select count(*) from ledger.journal_entry where source_key like ${`${prefix}/%`}`;
  return Number(row.count);
}

test("a thousand callers at once each get their own outcome", async () => {
  await ledger.post(fund("own/fund", "own", 100n));
  await ledger.post(...times(200, (n) => entry(`own/before/${n}`)));
  const [eur] = [currency("eur")];
  const cases: { readonly expected: string; readonly draft: JournalEntryDraft }[] = [
    ...times(400, (n) => ({ expected: "created", draft: entry(`own/new/${n}`) })),
    ...times(100, (n) => ({ expected: "exists", draft: entry(`own/before/${n}`) })),
    ...times(100, (n) => ({ expected: "exists_different", draft: entry(`own/before/${n + 100}`, 2n) })),
    ...times(100, (n) => ({
      expected: "account_missing",
      draft: draft(`own/missing/${n}`, [move(receivable("acme", eur), revenue, 1n)]),
    })),
    ...times(300, (n) => ({ expected: "a spend", draft: spend(`own/spend/${n}`, "own", 1n) })),
  ];
  const shuffled = cases.toSorted((one, other) => hash(one.draft.sourceKey) - hash(other.draft.sourceKey));

  const results = await Promise.all(shuffled.map(({ draft }) => writer.post(draft)));

  expect(results.map(({ sourceKey }) => sourceKey)).toEqual(shuffled.map(({ draft }) => draft.sourceKey));
  const spends = results.filter((_, index) => shuffled[index]?.expected === "a spend");
  expect(tally(spends)).toEqual({ created: 100, insufficient: 200 });
  expect(await accountBalance(ledger.db.orm, grantOf("own"))).toBe(0n);
  for (const [index, { status }] of results.entries()) {
    const expected = shuffled[index]?.expected;
    if (expected !== "a spend") expect(status).toBe(expected);
  }
  for (const { sourceKey, entryId, status } of results.filter(({ status }) => status === "created")) {
    const [stored] = await ledger.db
      .sql`select source_key from ledger.journal_entry where id = ${String(entryId)}`;
    expect(stored, status).toEqual({ source_key: sourceKey });
  }
});

/** An order that has nothing to do with how the cases were made. */
function hash(text: string): number {
  let state = 7;
  for (const character of text) state = (Math.imul(state, 31) + (character.codePointAt(0) ?? 0)) | 0;
  return state;
}

test("who posts the same entry at the same time gets created once and exists otherwise", async () => {
  const outcomes = await outcomesOf(times(50, () => entry("twins/1")));
  expect(tally(outcomes)).toEqual({ created: 1, exists: 49 });
});

test("a caller's entries, one after the other, build on each other between those of everybody else", async () => {
  const caller = async (n: number) => {
    const [funded, spent, spentAgain] = [
      await writer.post(fund(`order/${n}/fund`, `order-${n}`, 5n)),
      await writer.post(spend(`order/${n}/spend`, `order-${n}`, 5n)),
      await writer.post(spend(`order/${n}/again`, `order-${n}`, 1n)),
    ];
    return [funded, spent, spentAgain].map(({ status }) => status);
  };
  const expected = ["created", "created", "insufficient"];
  expect(await Promise.all(times(100, caller))).toEqual(times(100, () => expected));
});

test("callers at the same time share a transaction, a lone caller has one of its own", async () => {
  await outcomesOf(times(200, (n) => entry(`share/${n}`)));
  await writer.post(entry("alone/1"));
  const transactions = await ledger.db.sql`
    select distinct recorded_xid from ledger.journal_entry where source_key like 'share/%'`;
  expect(transactions).toHaveLength(1);
});

describe("a draft that cannot be posted fails alone", () => {
  test.each([
    {
      why: "an account that the chart does not know",
      bad: entryWith({ code: "1100", currency: usd }),
      code: "account_ref_invalid",
    },
    { why: "a negative amount", bad: entry("bad/negative", -1n), code: "journal_entry_invalid" },
    { why: "no postings", bad: draft("bad/empty", []), code: "journal_entry_invalid" },
    {
      why: "a kind that is none",
      bad: draft("bad/kind", [move(fees, revenue, 1n)], { kind: "Not a kind" }),
      code: "journal_entry_invalid",
    },
    {
      why: "a text that PostgreSQL cannot hold",
      bad: draft("bad/text", [move(fees, revenue, 1n)], { metadata: { note: "\0" } }),
      code: "journal_entry_invalid",
    },
  ])("$why", async ({ bad, code }) => {
    const good = times(60, (n) => entry(`beside ${bad.sourceKey}/${n}`));
    const outcomes = await outcomesOf([...good.slice(0, 23), bad, ...good.slice(23)]);
    expect(codeOf(outcomes[23] as Error)).toBe(code);
    expect(tally(outcomes)).toEqual({ created: 60, [code]: 1 });
    expect(await countEntries("bad")).toBe(0);
  });

  test("also when several are in one batch", async () => {
    const drafts = times(100, (n) => (n % 20 === 7 ? entry(`bad/${n}`, -1n) : entry(`beside several/${n}`)));
    expect(tally(await outcomesOf(drafts))).toEqual({ created: 95, journal_entry_invalid: 5 });
  });
});

function entryWith(debit: AccountRef): JournalEntryDraft {
  return draft("bad/account", [move(debit, revenue, 1n)]);
}

describe("when connections are lost", () => {
  test("a batch that was under way is posted once", async () => {
    await writer.post(entry("cut/blocked"));
    const { outcomes } = await whileLocked("cut/blocked", async () => {
      const outcomes = outcomesOf([
        ...times(50, (n) => entry(`cut/${n}`)),
        lockedEntry("cut/blocked", "cut/last"),
      ]);
      await until(async () => (await endSessions("wait_event_type = 'Lock'")) === 1);
      return { outcomes };
    });
    expect(tally(await outcomes)).toEqual({ created: 51 });
    expect(await countEntries("cut")).toBe(52);
  });

  test("again and again, nothing is lost and nothing doubled", async () => {
    const many = openLedgerWriter({ url: ledger.appUrl, batchMax: 20, batchesInFlight: 4 });
    let ended = 0;
    const callers = times(40, async (caller) => {
      const results: Outcome[] = [];
      for (let n = 0; ended < 10; n++) {
        results.push(...(await outcomesOf([entry(`storm/${caller}-${n}`)], many)));
      }
      return results;
    });
    while (ended < 10) {
      await wait(50); // a new session needs some time to get anything done
      ended += await endSessions("query like '%post_entries%' and state = 'active'");
    }
    const outcomes = (await Promise.all(callers)).flat();
    await many.close();
    const { created = 0, exists = 0, ...others } = tally(outcomes);
    expect(others).toEqual({});
    expect(created).toBeGreaterThan(exists);
    expect(await countEntries("storm")).toBe(outcomes.length);
  });

  test("for longer than anybody waits, each is told that nobody knows", async () => {
    const url = `postgres://nobody@127.0.0.1:${await freePort()}/none`;
    const waiting = openLedgerWriter({ url, patienceMs: 200 });
    const outcomes = await outcomesOf(
      times(5, (n) => entry(`away/${n}`)),
      waiting,
    );
    expect(tally(outcomes)).toEqual({ ledger_unavailable: 5 });
    await waiting.close();
  });
});

test("nobody waits for a batch that is held up by somebody else's lock", async () => {
  await writer.post(entry("held/blocked"));
  const { heldUp } = await whileLocked("held/blocked", async () => {
    const heldUp = outcomesOf([lockedEntry("held/blocked", "held/first")]);
    await until(async () => (await sessionsWaiting()) === 1);
    expect(tally(await outcomesOf([entry("held/free")]))).toEqual({ created: 1 });
    return { heldUp };
  });
  expect(tally(await heldUp)).toEqual({ created: 1 });
});

test("a full queue refuses at once, and takes entries again when there is room", async () => {
  const small = openLedgerWriter({ url: ledger.appUrl, batchesInFlight: 1, queueMax: 3 });
  await small.post(entry("full/blocked"));
  const { inFlight, waiting } = await whileLocked("full/blocked", async () => {
    const inFlight = outcomesOf([lockedEntry("full/blocked", "full/first")], small);
    await until(async () => (await sessionsWaiting()) === 1);
    const waiting = outcomesOf(
      times(3, (n) => entry(`full/${n}`)),
      small,
    );
    expect(tally(await outcomesOf([entry("full/refused")], small))).toEqual({ ledger_busy: 1 });
    return { inFlight, waiting };
  });
  expect(tally([...(await inFlight), ...(await waiting)])).toEqual({ created: 4 });
  expect(tally(await outcomesOf([entry("full/refused")], small))).toEqual({ created: 1 });
  await small.close();
});

test("closing lets everything that was taken come to its end, and takes nothing more", async () => {
  const closing = openLedgerWriter({ url: ledger.appUrl, batchesInFlight: 1, batchMax: 2 });
  await closing.post(entry("close/blocked"));
  let isClosed = false;
  const { taken, closed } = await whileLocked("close/blocked", async () => {
    const taken = outcomesOf(
      [lockedEntry("close/blocked", "close/first"), ...times(6, (n) => entry(`close/${n}`))],
      closing,
    );
    await until(async () => (await sessionsWaiting()) === 1);
    const closed = closing.close().then(() => {
      isClosed = true;
    });
    expect(tally(await outcomesOf([entry("close/late")], closing))).toEqual({ ledger_writer_closed: 1 });
    expect(isClosed).toBe(false);
    return { taken, closed };
  });
  await closed;
  expect(tally(await taken)).toEqual({ created: 7 });
});

test("two writers with the same entries create each once, and both know it", async () => {
  const other = openLedgerWriter({ url: ledger.appUrl, batchMax: 70 });
  const drafts = times(300, (n) => entry(`both/${n}`));
  const [ours, theirs] = await Promise.all([
    Promise.all(drafts.map((each) => writer.post(each))),
    Promise.all(drafts.toReversed().map((each) => other.post(each))),
  ]);
  await other.close();
  for (const [index, one] of ours.entries()) {
    const same = theirs[theirs.length - 1 - index];
    expect([one.status, same?.status].sort()).toEqual(["created", "exists"]);
    expect(same?.entryId).toBe(one.entryId);
  }
});

/** Another entry on the account that the entry of this key has opened. */
const lockedEntry = (opened: string, sourceKey: string) =>
  draft(sourceKey, [move(receivable(opened, usd), revenue, 1n)]);

/** Runs `work` while somebody else holds the account that the entry of this key has opened. */
async function whileLocked<T>(opened: string, work: () => Promise<T>): Promise<T> {
  return inTransaction(ledger.owner, async (tx) => {
    const locked = await rows(
      tx,
      sql`select from ledger.account_balance where account_id in (
        select id from ledger.account where customer_id = ${opened}) for update`,
    );
    expect(locked).toHaveLength(1);
    return work();
  });
}

const sessionsWaiting = async () => (await sessions(sql`pid`, "wait_event_type = 'Lock'")).length;

/** Ends sessions of the application that are as the condition says. */
const endSessions = async (condition: string) =>
  (await sessions(sql`pg_terminate_backend(pid)`, condition)).length;

/** Asks on a connection that posts nothing. */
async function sessions(what: SQL, condition: string): Promise<unknown[]> {
  return rows(
    ledger.db.snapshots,
    sql`select ${what} from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and ${sql.raw(condition)}`,
  );
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("waited 10 seconds in vain");
    await wait(5);
  }
}
