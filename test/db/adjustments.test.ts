import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, inTransaction, openDatabase, type Tx } from "../../src/db/database.ts";
import { postEntries } from "../../src/db/ledger/ledger.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { goodwillGranted, type JournalEntryDraft } from "../../src/domain/ledger/index.ts";
import { money } from "../../src/domain/money/index.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { refusal } from "./ledger-fixture.ts";

let db: Database;
let owner: Database;
const ending: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const { appUrl, ownerUrl, drop } = await cloneDatabase();
  db = openDatabase({ url: appUrl, poolSize: 4 });
  owner = openDatabase({ url: ownerUrl, poolSize: 1 });
  ending.push(drop, () => Promise.all([db.close(), owner.close()]));
  await db.sql`insert into billing.customer (id, name, email, currency, time_zone, created_at)
    values ('acme', 'Acme', 'a@acme.test', 'usd', 'UTC', '2026-01-01Z')`;
});
afterAll(async () => {
  for (const end of ending.toReversed()) await end();
});

const refused = "RK010";
const checked = "23514";

/** A row as a program without our code would write it. */
const adjustment = (over: Record<string, unknown> = {}) => ({
  id: crypto.randomUUID(),
  kind: "credit_balance",
  customer_id: "acme",
  currency: "usd",
  change: "100000000",
  reason_code: "goodwill",
  requested_by: `api-key/${crypto.randomUUID()}`,
  requested_at: "2026-01-05T00:00:00Z",
  approval_limit_minor: 100,
  // Whatever is sent for these two, the database finds them out itself.
  unapproved_before: "0",
  recorded_at: "2020-01-01T00:00:00Z",
  ...over,
});

const insert = (row: ReturnType<typeof adjustment>) =>
  db.sql`insert into billing.adjustment ${db.sql(row)} returning needs_approval, unapproved_before, recorded_at`;

const decide = (id: string, outcome: string, by: string, note: string | null = "seen") =>
  db.sql`insert into billing.adjustment_decision (adjustment_id, outcome, decided_by, note, decided_at)
    values (${id}, ${outcome}, ${by}, ${note}, '2026-01-06Z')`;

/** The entry of an adjustment that credits the balance. */
function entryOf(id: string, over: Partial<JournalEntryDraft> = {}): JournalEntryDraft {
  const at = instant("2026-01-05T00:00:00Z");
  const amount = money(1n, "usd");
  const facts = {
    sourceKey: id,
    customerId: "acme",
    currency: amount.currency,
    occurredAt: at,
    effectiveAt: at,
  };
  const to = { kind: "customer_balance" } as const;
  return { ...goodwillGranted({ ...facts, adjustmentId: id, amount, to }), ...over };
}

const post = (entry: JournalEntryDraft, actor: string) =>
  inTransaction(db, (tx: Tx) => postEntries(tx, [entry], actor));

describe("nothing is booked for an adjustment", () => {
  test("that nobody asked for", async () => {
    expect(await refusal(post(entryOf("made up"), "api-key/eve"))).toBe(refused);
  });

  test("that waits, was rejected or withdrawn; once it is approved, by who approved it", async () => {
    const large = { change: "20000000000" };
    const rows = [adjustment(large), adjustment(large), adjustment(large), adjustment(large)] as const;
    for (const row of rows) expect(await insert(row)).toMatchObject([{ needs_approval: true }]);
    const [waiting, rejected, withdrawn, approved] = rows;
    await decide(rejected.id, "rejected", "api-key/finance");
    await decide(withdrawn.id, "withdrawn", withdrawn.requested_by);
    await decide(approved.id, "approved", "api-key/finance");
    for (const row of [waiting, rejected, withdrawn]) {
      for (const actor of [row.requested_by, "api-key/finance"]) {
        expect(await refusal(post(entryOf(row.id), actor))).toBe(refused);
      }
    }
    expect(await refusal(post(entryOf(approved.id), approved.requested_by))).toBe(refused);
    expect(await post(entryOf(approved.id), "api-key/finance")).toMatchObject([{ status: "created" }]);
  });

  test.each([
    { why: "of another kind", over: { kind: "goodwill_withdrawn" } },
    { why: "of another customer", over: { customerId: "bolt" } },
  ])("that is $why than the entry", async ({ over }) => {
    const row = adjustment();
    await insert(row);
    expect(await refusal(post(entryOf(row.id, over), row.requested_by))).toBe(refused);
  });

  test("by somebody else than who asked, when nobody else was needed", async () => {
    const row = adjustment();
    await insert(row);
    expect(await refusal(post(entryOf(row.id), "reckoner"))).toBe(refused);
    expect(await post(entryOf(row.id), row.requested_by)).toMatchObject([{ status: "created" }]);
  });

  test.each(["grant_voided", "promotional_credits_granted"])("%s without one", async (kind) => {
    const cause = { type: "credit_grant", id: "some" };
    expect(await refusal(post(entryOf("some", { kind, cause }), "reckoner"))).toBe(refused);
  });
});

describe("a decision", () => {
  test.each([
    { outcome: "approved", by: "requester" },
    { outcome: "rejected", by: "requester" },
    { outcome: "withdrawn", by: "api-key/somebody-else" },
  ])("that it is $outcome is not for $by", async ({ outcome, by }) => {
    const row = adjustment({ approval_limit_minor: null });
    await insert(row);
    expect(await refusal(decide(row.id, outcome, by === "requester" ? row.requested_by : by))).toBe(refused);
  });

  test("about what needs none is refused", async () => {
    const row = adjustment();
    await insert(row);
    expect(await refusal(decide(row.id, "approved", "api-key/finance"))).toBe(refused);
  });

  test("is made once, and stays", async () => {
    const row = adjustment({ approval_limit_minor: null });
    await insert(row);
    await decide(row.id, "rejected", "api-key/finance");
    expect(await refusal(decide(row.id, "approved", "api-key/finance"))).toBe("23505");
    for (const table of ["billing.adjustment", "billing.adjustment_decision"]) {
      expect(await refusal(db.sql.unsafe(`delete from ${table}`))).toBe("42501");
      expect(await refusal(owner.sql.unsafe(`delete from ${table}`))).toBe("RK001");
    }
    const approve = "update billing.adjustment_decision set outcome = 'approved'";
    expect(await refusal(owner.sql.unsafe(approve))).toBe("RK001");
  });

  test("to reject says why", async () => {
    const row = adjustment({ approval_limit_minor: null });
    await insert(row);
    expect(await refusal(decide(row.id, "rejected", "api-key/finance", null))).toBe(checked);
  });
});

describe("what counts towards the limit is the database's to say", () => {
  test("whatever was sent", async () => {
    const requested_by = "api-key/splitter";
    const sixty = { requested_by, change: "6000000000" };
    expect(await insert(adjustment(sixty))).toMatchObject([
      { needs_approval: false, unapproved_before: "0" },
    ]);
    const [second] = await insert(adjustment({ ...sixty, change: "-6000000000", kind: "debit_balance" }));
    expect(second).toMatchObject({ needs_approval: true, unapproved_before: "6000000000" });
    expect(new Date(second?.recorded_at).getFullYear()).toBeGreaterThan(2020);
  });

  test("also when they come at the same time", async () => {
    const requested_by = "api-key/quick";
    const rows = Array.from({ length: 8 }, () => adjustment({ requested_by, change: "3000000000" }));
    const inserted = await Promise.all(rows.map(insert));
    expect(inserted.filter(([row]) => row?.needs_approval === false)).toHaveLength(3);
  });
});

describe("an adjustment makes sense", () => {
  const ofGrant = { grant_id: "g", grant_kind: "promotional" };
  test.each([
    { why: "nothing", over: { change: "0" } },
    { why: "not a number", over: { change: "NaN" } },
    { why: "a fraction of a minor unit", over: { change: "1" } },
    { why: "a credit that takes", over: { change: "-100000000" } },
    { why: "a debit that gives", over: { kind: "debit_balance" } },
    { why: "a void that gives", over: { kind: "void_grant", ...ofGrant } },
    { why: "a balance with a grant", over: ofGrant },
    { why: "a void without a grant", over: { kind: "void_grant", change: "-100000000" } },
    { why: "a gift without its terms", over: { kind: "grant_credit", ...ofGrant } },
    {
      why: "a gift that was paid for",
      over: { kind: "grant_credit", grant_id: "g", grant_kind: "paid", priority: 1 },
    },
    {
      why: "what was paid for, made larger",
      over: { kind: "adjust_grant", grant_id: "g", grant_kind: "paid" },
    },
    { why: "no reason that we know", over: { reason_code: "whim" } },
    { why: "another reason that is not told", over: { reason_code: "other" } },
  ])("not $why", async ({ over }) => {
    expect(await refusal(insert(adjustment(over)))).toBe(checked);
  });

  test("in the customer's currency, for a customer who exists", async () => {
    expect(await refusal(insert(adjustment({ currency: "eur" })))).toBe(refused);
    expect(await refusal(insert(adjustment({ customer_id: "nobody" })))).toBe(refused);
  });
});
