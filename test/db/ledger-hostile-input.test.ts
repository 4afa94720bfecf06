import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { expectInvariants, fund, type LedgerFixture, openLedger, refusal } from "./ledger-fixture.ts";

/** What reaches the ledger's functions past the domain's own checks, by a caller with a fault or with bad intentions. */
let ledger: LedgerFixture;

beforeAll(async () => {
  ledger = await openLedger();
  await ledger.post(fund("funded", "g", 100n));
});

afterAll(async () => {
  await expectInvariants(ledger.db);
  await ledger.close();
});

const malformed = "22023";
const noText = "22P05";
const notThatType = "22P02";
const noTimestamp = "22007";
const missing = "23502";
const outOfRange = "23514";
const unsound = "RK002";

const grantKey = "2000/usd/customer=acme/grant=g";
const posting = { debit: grantKey, credit: "4000/usd/product=tokens", amount: "1" };
const entry = {
  source_key: "hostile",
  kind: "test",
  occurred_at: "2026-01-15T00:00:00Z",
  effective_at: "2026-01-15T00:00:00Z",
  actor: "test",
  cause_type: "test",
  cause_id: "hostile",
  currency: "usd",
  postings: [posting],
};
const hold = {
  source_key: "hostile",
  currency: "usd",
  cause_type: "test",
  cause_id: "hostile",
  actor: "test",
  placed_at: "2026-01-15T00:00:00Z",
  expires_at: "2026-01-15T01:00:00Z",
  lines: [{ account: grantKey, amount: "1" }],
};

async function call(name: "post_entries" | "place_holds" | "settle_holds", argument: unknown) {
  const { sql } = ledger.db;
  return [
    ...(await sql`select status from ${sql(`ledger.${name}`)}(${JSON.stringify(argument)}::text::jsonb)`),
  ].map(({ status }) => status);
}

/** How many rows there are of everything that a call can write. */
async function contents() {
  const [counts] = await ledger.db.sql`
    select (select count(*) from ledger.account) as accounts, (select count(*) from ledger.journal_entry) as entries,
      (select count(*) from ledger.posting) as postings, (select count(*) from ledger.entry_key) as claims,
      (select count(*) from ledger.hold) as holds, (select count(*) from ledger.accounting_period) as periods,
      (select count(*) from ledger.entry_range) as ranges`;
  return counts;
}

describe("refused, and nothing is left of it", () => {
  let before: unknown;
  beforeEach(async () => {
    before = await contents();
  });
  afterEach(async () => expect(await contents()).toEqual(before));

  test.each([
    { batch: null, code: malformed },
    { batch: {}, code: malformed },
    { batch: "entries", code: malformed },
    { batch: [1], code: malformed },
    { batch: [[]], code: malformed },
    { batch: [{}], code: unsound },
    { batch: Array.from({ length: 10_001 }, () => entry), code: unsound },
  ])("a batch that is none: $code", async ({ batch, code }) => {
    expect(await refusal(call("post_entries", batch))).toBe(code);
    if (code === malformed) {
      expect(await refusal(call("place_holds", batch))).toBe(malformed);
      expect(await refusal(call("settle_holds", batch))).not.toBe("done");
    }
  });

  test.each([
    { over: { reverse: "1" }, code: unsound, why: "a field that no entry has" },
    { over: { when_closed: "perhaps" }, code: unsound, why: "another word" },
    { over: { when_closed: "" }, code: unsound, why: "no word" },
    { over: { source_key: null }, code: missing, why: "no key" },
    { over: { source_key: "" }, code: outOfRange, why: "an empty key" },
    { over: { source_key: "a\u0000b" }, code: noText, why: "NUL" },
    { over: { source_key: "\ud800" }, code: notThatType, why: "half a character" },
    { over: { kind: "Test; drop" }, code: outOfRange, why: "no kind" },
    { over: { actor: "" }, code: outOfRange, why: "nobody" },
    { over: { cause_id: null }, code: missing, why: "no cause" },
    { over: { currency: "USD" }, code: "account_missing", why: "no currency" },
    { over: { currency: null }, code: "account_missing", why: "none at all" },
    { over: { occurred_at: "tomorrow morning" }, code: noTimestamp, why: "no date" },
    { over: { occurred_at: "infinity" }, code: outOfRange, why: "an endless date" },
    { over: { effective_at: "infinity" }, code: outOfRange, why: "never effective" },
    { over: { effective_at: "-infinity" }, code: outOfRange, why: "always effective" },
    { over: { effective_at: "20000-01-01T00:00:00Z" }, code: outOfRange, why: "a date far away" },
    { over: { effective_at: "0044-03-15 BC" }, code: outOfRange, why: "a date long ago" },
    { over: { effective_at: null }, code: missing, why: "no date at all" },
    { over: { reverses: "the first" }, code: notThatType, why: "no id" },
    { over: { reverses: "987654" }, code: unsound, why: "an entry that is not there" },
    { over: { metadata: [] }, code: outOfRange, why: "metadata that is no object" },
    { over: { postings: undefined }, code: unsound, why: "no postings" },
    { over: { postings: null }, code: malformed, why: "null for postings" },
    { over: { postings: posting }, code: malformed, why: "a posting for postings" },
    { over: { postings: [1] }, code: malformed, why: "a number for a posting" },
    { over: { postings: [{ ...posting, memo: "x" }] }, code: unsound, why: "a field that no posting has" },
    { over: { postings: [{ ...posting, debit: null }] }, code: unsound, why: "an account missing" },
    { over: { postings: [{ ...posting, amount: "ten" }] }, code: notThatType, why: "no amount" },
    { over: { postings: [{ ...posting, amount: "1e400" }] }, code: unsound, why: "an amount beyond all" },
    { over: { postings: [{ ...posting, amount: "1e-9" }] }, code: unsound, why: "less than the least" },
    { over: { postings: [posting, { ...posting, amount: "-1" }] }, code: unsound, why: "one of two" },
  ])("an entry with $over: $why", async ({ over, code }) => {
    const bad = { ...entry, ...over };
    expect(await outcome("post_entries", [bad])).toBe(code);
    const other = { ...entry, source_key: "other", cause_id: "other" };
    if (code !== "account_missing") expect(await outcome("post_entries", [other, bad])).toBe(code);
  });

  test.each([
    { over: { expires_in: "1h" }, code: unsound, why: "a field that no hold has" },
    { over: { lines: [] }, code: unsound, why: "no lines" },
    { over: { lines: undefined }, code: unsound, why: "no lines at all" },
    { over: { lines: [{ ...hold.lines[0], at_mots: "2" }] }, code: unsound, why: "a field that no line has" },
    { over: { lines: [{ ...hold.lines[0], amount: "0.5" }] }, code: unsound, why: "less than the least" },
    { over: { lines: [{ ...hold.lines[0], amount: "NaN" }] }, code: unsound, why: "no number" },
    { over: { expires_at: "infinity" }, code: outOfRange, why: "it never expires" },
    { over: { placed_at: "-infinity" }, code: outOfRange, why: "it was always there" },
    { over: { expires_at: hold.placed_at }, code: outOfRange, why: "it expires at once" },
    { over: { source_key: null }, code: missing, why: "no key" },
  ])("a hold with $over: $why", async ({ over, code }) => {
    expect(await outcome("place_holds", [{ ...hold, ...over }])).toBe(code);
  });

  test.each([
    { statement: "select ledger.close_period('infinity', 'alice')", code: outOfRange },
    { statement: "select ledger.close_period('9999-12-01', 'alice')", code: outOfRange },
    { statement: "select ledger.close_period('2026-01-15', 'alice')", code: outOfRange },
    { statement: "select ledger.close_period(null, 'alice')", code: missing },
    { statement: "select ledger.close_period('2024-01-01', '')", code: outOfRange },
    { statement: "select ledger.prepare_partitions(1)", code: unsound },
    { statement: "select ledger.prepare_partitions(-1)", code: unsound },
    { statement: "select ledger.prepare_partitions(null)", code: unsound },
    { statement: "select ledger.prepare_partitions(9223372036854775807)", code: unsound },
    { statement: "select ledger.expire_holds('infinity', -1)", code: "2201W" },
  ])("$statement", async ({ statement, code }) => {
    expect(await refusal(ledger.db.sql.unsafe(statement))).toBe(code);
  });
});

test("a settlement with a field that it cannot have is refused, and the hold is as it was", async () => {
  expect(await call("place_holds", [{ ...hold, source_key: "kept", cause_id: "kept" }])).toEqual(["created"]);
  const settlement = { hold: "kept", entry: { ...entry, source_key: "kept/settled", cause_id: "kept" } };
  expect(await refusal(call("settle_holds", [{ ...settlement, force: true }]))).toBe(unsound);
  const unknown = { ...settlement, entry: { ...settlement.entry, force: true } };
  expect(await refusal(call("settle_holds", [unknown]))).toBe(unsound);
  expect(await call("settle_holds", [settlement])).toEqual(["created"]);
});

test.each([
  { key: "%25/%2F/%3D", why: "escapes of the escapes" },
  { key: "../../etc/passwd\n'; drop table ledger.posting; --", why: "an injection" },
  { key: "=1+1", why: "a formula" },
  { key: "\u202Eevil\u200B🧾", why: "right to left, invisible, beyond the basic plane" },
  { key: "e\u0301", why: "two code points" },
  { key: "\u00E9", why: "the same in one" },
  { key: "x".repeat(1_000_000), why: "a million characters" },
])("the key and the customer of an entry are kept byte for byte: $why", async ({ key }) => {
  const inAccount = key.slice(0, 100);
  const spelled = inAccount.replaceAll("%", "%25").replaceAll("/", "%2F").replaceAll("=", "%3D");
  const account = `1110/usd/customer=${spelled}`;
  const stored = {
    ...entry,
    source_key: key,
    cause_id: key,
    customer_id: inAccount,
    postings: [{ ...posting, debit: account }],
  };
  expect(await call("post_entries", [stored])).toEqual(["created"]);
  expect(await call("post_entries", [stored])).toEqual(["exists"]);
  const [found] = await ledger.db.sql`
    select entry.source_key, account.customer_id, account.key
    from ledger.journal_entry as entry join ledger.posting on entry_id = id join ledger.account on account.id = debit_account
    where source_key = ${key}`;
  expect(found).toEqual({ source_key: key, customer_id: inAccount, key: account });
});

/** The code of an error, else the one status. */
async function outcome(name: Parameters<typeof call>[0], argument: unknown): Promise<unknown> {
  let statuses: unknown[] = [];
  const code = await refusal(
    call(name, argument).then((found) => {
      statuses = found;
    }),
  );
  return code === "done" ? statuses.join() : code;
}
