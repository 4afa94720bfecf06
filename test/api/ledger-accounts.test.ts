import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inTransaction } from "../../src/db/database.ts";
import { placeHolds } from "../../src/db/ledger/holds.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { currency, decimal, ledgerAmountOfExact } from "../../src/domain/money/index.ts";
import { grantOf } from "../db/ledger-fixture.ts";
import { story, tellStory } from "./support/ledger-story.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
  await tellStory(api);
});
afterAll(() => api.stop());

const get = async (path: string) => (await api.call("GET", path)).body;
const idOf = async (key: string) =>
  (await get(`/v1/ledger/accounts?key=${encodeURIComponent(key)}`)).data[0].id;

describe("accounts", () => {
  test("are listed page by page, each once, in the order in which they were opened", async () => {
    const whole = await get("/v1/ledger/accounts?limit=100");
    const keys: string[] = [];
    for (let cursor = ""; ; ) {
      const page = await get(`/v1/ledger/accounts?limit=4${cursor}`);
      keys.push(...page.data.map(({ account }: { account: string }) => account));
      if (page.next_cursor === null) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(keys).toEqual(whole.data.map(({ account }: { account: string }) => account));
    const posted = story.flatMap(({ postings }) => postings.flatMap(({ debit, credit }) => [debit, credit]));
    expect(new Set(keys).size).toBe(new Set(posted.map((ref) => JSON.stringify(ref))).size);
  });

  test.each([
    { query: "customer=acme&code=2000", keys: ["2000/usd/customer=acme/grant=g1"] },
    { query: "code=1100&currency=kwd", keys: ["1100/kwd/customer=dina"] },
    { query: "key=1010/usd", keys: ["1010/usd"] },
    { query: "key=1010/usd&customer=acme", keys: [] },
    { query: "customer=nobody", keys: [] },
  ])("are found by $query", async ({ query, keys }) => {
    const { data } = await get(`/v1/ledger/accounts?${query}`);
    expect(data.map(({ account }: { account: string }) => account)).toEqual(keys);
  });

  test("one says all about itself, and its balance", async () => {
    const id = await idOf("2000/usd/customer=acme/grant=g1");
    expect(await get(`/v1/ledger/accounts/${id}`)).toEqual({
      id,
      account: "2000/usd/customer=acme/grant=g1",
      name: "Prepaid credits",
      currency: "usd",
      debit_minor: "1999.25",
      credit_minor: "5000",
      balance_minor: "3000.75",
      held_minor: "0",
      available_minor: "3000.75",
      version: "2",
      code: "2000",
      class: "liability",
      normal_side: "credit",
      customer: "acme",
      floor_minor: "0",
      keeps_statement: true,
      opened_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  test("amounts at the limit of what an account can hold are exact", async () => {
    const [huge] = (await get("/v1/ledger/accounts?customer=huge")).data;
    expect(huge.balance_minor).toBe(`${"9".repeat(30)}.99999999`);
  });

  test("says what running requests have reserved, now and not in the past", async () => {
    const hold = {
      sourceKey: "request/1/reserved",
      customerId: "acme",
      cause: { type: "request", id: "1" },
      currency: currency("usd"),
      placedAt: instant("2026-03-01T00:00:00Z"),
      expiresAt: instant("2126-03-01T00:00:00Z"),
      lines: [{ account: grantOf("g1"), amount: ledgerAmountOfExact(decimal("1000.5")) }],
    };
    const [placed] = await inTransaction(api.db, (tx) => placeHolds(tx, [hold]));
    expect(placed?.status).toBe("created");
    const key = "2000/usd/customer=acme/grant=g1";
    const reserved = { balance_minor: "3000.75", held_minor: "1000.5", available_minor: "2000.25" };
    expect(await get(`/v1/ledger/accounts/${await idOf(key)}`)).toMatchObject(reserved);
    const balances = (await get("/v1/customers/acme/balances")).data;
    expect(balances.find(({ account }: { account: string }) => account === key)).toMatchObject(reserved);
    const past = await get(`/v1/ledger/accounts/${await idOf(key)}?recorded_at=2126-01-01T00:00:00Z`);
    expect(past).toMatchObject({
      balance_minor: "3000.75",
      held_minor: null,
      available_minor: null,
      version: "2",
    });
  });

  test.each([
    { id: "999999", status: 404, code: "ledger_account_not_found" },
    { id: "0", status: 400, code: "request_invalid" },
    { id: "-1", status: 400, code: "request_invalid" },
    { id: "1e3", status: 400, code: "request_invalid" },
    { id: "9".repeat(19), status: 400, code: "request_invalid" },
    { id: "1100%2Fusd", status: 400, code: "request_invalid" },
  ])("$id is $status $code", async ({ id, status, code }) => {
    const answer = await api.call("GET", `/v1/ledger/accounts/${id}`);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test.each([
    { query: "code=1", field: "code" },
    { query: "currency=USD", field: "currency" },
    { query: "customer=a/b", field: "customer" },
    { query: "key=", field: "key" },
    { query: "effective_at=2026-01-01T00:00:00Z", field: "effective_at" },
    { query: "held=1", field: "held" },
  ])("a list is refused at $field for $query", async ({ query, field }) => {
    const answer = await api.call("GET", `/v1/ledger/accounts?${query}`);
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, "request_invalid", field]);
  });
});

describe("a balance as of an instant", () => {
  const key = "1100/usd/customer=acme";

  test.each([
    { at: "2026-01-04T23:59:59.999Z", balance: "0", why: "before anything" },
    { at: "2026-01-05T00:00:00Z", balance: "7.5", why: "the entry that came late counts from its date" },
    { at: "2026-01-10T00:00:00Z", balance: "1257.5", why: "an instant is included: 7.5 + 1250" },
    { at: "2026-01-20T08:30:00.499Z", balance: "1257.5", why: "a millisecond before the payment" },
    { at: "2026-01-20T09:30:00.500+01:00", balance: "7.5", why: "its very millisecond, in another zone" },
    { at: "2026-01-31T00:00:00Z", balance: "5108", why: "7.5 + 100 + 0.5 + 5000" },
    { at: "2026-12-31T00:00:00Z", balance: "5148.00000001", why: "7.5 + 100 + 0.5 + 5000 + 40 + 0.00000001" },
  ])("effective at $at is $balance: $why", async ({ at, balance }) => {
    const query = `effective_at=${encodeURIComponent(at)}`;
    const account = await get(`/v1/ledger/accounts/${await idOf(key)}?${query}`);
    expect(account).toMatchObject({
      balance_minor: balance,
      held_minor: null,
      available_minor: null,
      version: null,
    });
    const balances = (await get(`/v1/customers/acme/balances?${query}`)).data;
    expect(balances.find((found: { account: string }) => found.account === key).balance_minor).toBe(balance);
  });

  test("recorded at each entry's instant is what was posted until then", async () => {
    const { data } = await get(`/v1/ledger/entries?account=${encodeURIComponent(key)}&limit=100`);
    const recorded: string[] = data.map((entry: { recorded_at: string }) => entry.recorded_at).toReversed();
    const id = await idOf(key);
    for (const at of recorded) {
      const { version } = await get(`/v1/ledger/accounts/${id}?recorded_at=${at}`);
      expect(version).toBe(String(recorded.filter((other) => other <= at).length));
    }
    const [first = ""] = recorded;
    const before = new Date(Date.parse(first) - 1).toISOString();
    expect(await get(`/v1/ledger/accounts/${id}?recorded_at=${before}`)).toMatchObject({
      debit_minor: "0",
      credit_minor: "0",
      balance_minor: "0",
      version: "0",
    });
    // Both: recorded by then, and effective by then.
    const late = recorded.at(-2) ?? "";
    const both = `recorded_at=${late}&effective_at=2026-01-05T00:00:00Z`;
    expect((await get(`/v1/ledger/accounts/${id}?${both}`)).balance_minor).toBe("7.5");
    const neither = `recorded_at=${before}&effective_at=2026-01-05T00:00:00Z`;
    expect((await get(`/v1/ledger/accounts/${id}?${neither}`)).balance_minor).toBe("0");
  });

  test.each(["2026-01-01", "yesterday", "2026-01-01T00:00:00", ""])("%j is no instant", async (at) => {
    for (const path of [`/v1/ledger/accounts/1`, "/v1/customers/acme/balances", "/v1/ledger/trial-balance"]) {
      for (const field of ["effective_at", "recorded_at"]) {
        const answer = await api.call("GET", `${path}?${field}=${at}`);
        expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, "request_invalid", field]);
      }
    }
  });
});

test("a key without the scope to read is refused everywhere", async () => {
  const key = await api.newKey(["usage:write"]);
  for (const path of [
    "/v1/ledger/accounts",
    "/v1/ledger/accounts/1",
    "/v1/ledger/entries",
    "/v1/ledger/entries/1",
    "/v1/ledger/trial-balance",
    "/v1/ledger/journal?month=2026-01",
    "/v1/ledger/journal/totals?month=2026-01",
    "/v1/ledger/periods",
    "/v1/customers/acme/statement?account=receivable",
    "/v1/customers/acme/balances",
  ]) {
    const answer = await api.call("GET", path, undefined, { key });
    expect([answer.status, answer.body.code], path).toEqual([403, "scope_missing"]);
  }
});
