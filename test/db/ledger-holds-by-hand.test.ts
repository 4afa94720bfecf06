import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { instant } from "../../src/domain/calendar/index.ts";
import { cost, expectNothingPending, holdsOf, reserve } from "./holds-fixture.ts";
import {
  expectInvariants,
  fund,
  grantOf,
  type LedgerFixture,
  openLedger,
  refusal,
} from "./ledger-fixture.ts";

/** Holds written around the functions, as whoever owns the tables: what is held follows, and the rules hold. */

let ledger: LedgerFixture;
let holds: ReturnType<typeof holdsOf>;

beforeAll(async () => {
  ledger = await openLedger();
  holds = holdsOf(ledger);
  await ledger.post(fund("f", "g", 100n), fund("f2", "g2", 100n));
  expect(await holds.place(reserve("placed", "g", 10n))).toEqual(["created"]);
});

afterEach(() => expectInvariants(ledger.db));

afterAll(async () => {
  await holds.expire(instant("2100-01-01T00:00:00Z"));
  await expectNothingPending(ledger);
  await ledger.close();
});

const grantKey = "2000/usd/customer=acme/grant=g";
const otherGrantKey = "2000/usd/customer=acme/grant=g2";

interface HandWritten {
  readonly currency?: string;
  readonly lines?: readonly { key: string; amount: string; atMost?: string }[];
  /** Written after the lines, in the same transaction. */
  readonly resolution?: { outcome: string; entryKey?: string };
  readonly linesAfterwards?: readonly { key: string; amount: string }[];
}

function byHand(
  sourceKey: string,
  { currency = "usd", lines = [], resolution, linesAfterwards = [] }: HandWritten,
) {
  return ledger.owner.sql.begin(async (sql) => {
    const [hold] = await sql`
      insert into ledger.hold (source_key, request_hash, currency, cause_type, cause_id, actor, placed_at, expires_at)
      values (${sourceKey}, '\\x00', ${currency}, 'hand', ${sourceKey}, 'alice', '2026-01-15', '2026-01-16') returning id`;
    let number = 0;
    const write = async (line: { key: string; amount: string; atMost?: string }) => {
      await sql`
        insert into ledger.hold_line (hold_id, line, account_id, amount, at_most)
        values (${hold?.id}, ${++number}, (select id from ledger.account where key = ${line.key}), ${line.amount}, ${line.atMost ?? null})`;
    };
    for (const line of lines) await write(line);
    if (resolution !== undefined) {
      await sql`
        insert into ledger.hold_resolution (hold_id, outcome, entry_key, actor, resolved_at)
        values (${hold?.id}, ${resolution.outcome}, ${resolution.entryKey ?? null}, 'alice', '2026-01-15')`;
    }
    for (const line of linesAfterwards) await write(line);
  });
}

const resolve = (sourceKey: string, outcome: string, entryKey: string | null = null) => ledger.owner.sql`
  insert into ledger.hold_resolution (hold_id, outcome, entry_key, actor, resolved_at)
  select id, ${outcome}, ${entryKey}, 'alice', '2026-01-15' from ledger.hold where source_key = ${sourceKey}`;

describe("what is held follows", () => {
  test("a hold of two accounts, and its release", async () => {
    await byHand("hand/1", {
      lines: [
        { key: grantKey, amount: "30" },
        { key: otherGrantKey, amount: "100" },
      ],
    });
    expect(await holds.standing(grantOf("g"))).toEqual({ balance: 100n, held: 40n });
    expect(await holds.standing(grantOf("g2"))).toEqual({ balance: 100n, held: 100n });
    await resolve("hand/1", "released");
    expect(await holds.standing(grantOf("g"))).toEqual({ balance: 100n, held: 10n });
    expect(await holds.standing(grantOf("g2"))).toEqual({ balance: 100n, held: 0n });
    expect(await holds.release("hand/1")).toBe("exists");
  });

  test("a hold that was placed by hand is settled like any other", async () => {
    await byHand("hand/2", { lines: [{ key: otherGrantKey, amount: "20" }] });
    expect(await holds.settle("hand/2", cost("hand/2", "g2", 5n))).toBe("created");
    expect(await holds.standing(grantOf("g2"))).toEqual({ balance: 95n, held: 0n });
  });

  test("placed and resolved in one transaction, nothing is held", async () => {
    await byHand("hand/3", { lines: [{ key: grantKey, amount: "20" }], resolution: { outcome: "expired" } });
    expect(await holds.standing(grantOf("g"))).toEqual({ balance: 100n, held: 10n });
    expect(await holds.settle("hand/3", cost("hand/3", "g", 5n))).toBe("hold_resolved");
  });
});

describe("refused", () => {
  test.each([
    { lines: [{ key: grantKey, amount: "91" }], code: "23514", why: "more than there is" },
    { lines: [{ key: grantKey, amount: "0" }], code: "23514", why: "nothing" },
    { lines: [{ key: grantKey, amount: "-1" }], code: "23514", why: "a negative amount" },
    { lines: [{ key: grantKey, amount: "NaN" }], code: "23514", why: "no number" },
    { lines: [{ key: grantKey, amount: "2", atMost: "1" }], code: "23514", why: "a limit below it" },
    {
      lines: [{ key: "1100/usd/customer=acme", amount: "1" }],
      code: "RK002",
      why: "an account without a floor",
    },
    { lines: [{ key: grantKey, amount: "1" }], currency: "eur", code: "RK002", why: "another currency" },
    { lines: [{ key: "no such key", amount: "1" }], code: "23502", why: "no account" },
    {
      lines: [
        { key: grantKey, amount: "1" },
        { key: grantKey, amount: "1" },
      ],
      code: "23505",
      why: "an account twice",
    },
    { resolution: { outcome: "settled" }, code: "23514", why: "settled by no entry" },
    { resolution: { outcome: "released", entryKey: "f" }, code: "23514", why: "released by an entry" },
    { resolution: { outcome: "forgotten" }, code: "23514", why: "no outcome" },
    {
      lines: [{ key: grantKey, amount: "1" }],
      resolution: { outcome: "released" },
      linesAfterwards: [{ key: otherGrantKey, amount: "1" }],
      code: "RK002",
      why: "a line after it was resolved, which nobody would give back",
    },
  ])("$why: $code", async ({ code, why, ...written }) => {
    expect(await refusal(byHand(`refused/${why}`, written))).toBe(code);
    expect(await holds.standing(grantOf("g"))).toEqual({ balance: 100n, held: 10n });
  });

  test("a further line of a hold that was committed", async () => {
    const line = ledger.owner.sql`
      insert into ledger.hold_line (hold_id, line, account_id, amount)
      select hold.id, 2, account.id, 1 from ledger.hold, ledger.account
      where source_key = 'placed' and key = ${otherGrantKey}`;
    expect(await refusal(line)).toBe("RK002");
  });

  test("a second resolution, and one of no hold", async () => {
    await byHand("twice", { resolution: { outcome: "released" } });
    expect(await refusal(resolve("twice", "expired"))).toBe("23505");
    const ofNone = ledger.owner.sql`
      insert into ledger.hold_resolution (hold_id, outcome, actor, resolved_at) values (987654, 'released', 'alice', now())`;
    expect(["23503", "RK002"]).toContain(await refusal(ofNone));
  });

  test("a transaction that is made up", async () => {
    const { sql } = ledger.owner;
    const hold = sql`
      insert into ledger.hold (source_key, request_hash, currency, cause_type, cause_id, actor, placed_at, expires_at, recorded_xid)
      values ('xid', '\\x00', 'usd', 'hand', 'xid', 'alice', now(), now() + interval '1 hour', '3')`;
    expect(await refusal(hold)).toBe("RK003");
    const resolution = sql`
      insert into ledger.hold_resolution (hold_id, outcome, actor, resolved_at, recorded_xid)
      select id, 'released', 'alice', now(), '3' from ledger.hold where source_key = 'placed'`;
    expect(await refusal(resolution)).toBe("RK003");
  });

  const tables = ["hold", "hold_line", "hold_resolution", "open_hold"];
  test.each(
    tables.flatMap((table) => [
      { table, change: "update", statement: `update ledger.${table} set hold_id = hold_id` },
      { table, change: "delete", statement: `delete from ledger.${table}` },
      { table, change: "truncate", statement: `truncate ledger.${table} cascade` },
    ]),
  )("$change of $table", async ({ table, statement }) => {
    await byHand(statement, { lines: [{ key: grantKey, amount: "1" }], resolution: { outcome: "released" } });
    const change = statement.replace(
      "hold_id = hold_id",
      table === "hold" ? "actor = actor" : "hold_id = hold_id",
    );
    expect(await refusal(ledger.owner.sql.unsafe(change))).toBe("RK001");
    expect(await refusal(ledger.db.sql.unsafe(change)), "to the application").toBe("42501");
  });

  test("an open hold that is none", async () => {
    expect(
      await refusal(
        ledger.owner.sql`insert into ledger.open_hold (hold_id, expires_at) values (987654, now())`,
      ),
    ).toBe("RK001");
  });
});
