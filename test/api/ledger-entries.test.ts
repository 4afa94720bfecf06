import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formula, letters, story, tellStory } from "./support/ledger-story.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
  await tellStory(api);
});
afterAll(() => api.stop());

const get = async (path: string) => (await api.call("GET", path)).body;
const encoded = encodeURIComponent;
const keysOf = (body: { data: { source_key: string }[] }) => body.data.map(({ source_key }) => source_key);
const newestFirst = story.map(({ sourceKey }) => sourceKey).toReversed();

describe("entries", () => {
  test("show all that was posted, the newest first", async () => {
    const body = await get("/v1/ledger/entries?limit=100");
    expect(keysOf(body)).toEqual(newestFirst);
    expect(body.data.at(-2)).toEqual({
      id: "2",
      kind: "payment_succeeded",
      source_key: "payment/pay_1/succeeded",
      actor: "api-key/test",
      customer: "acme",
      cause: { type: "payment", id: "pay_1" },
      currency: "usd",
      occurred_at: "2026-01-20T08:30:00.500Z",
      effective_at: "2026-01-20T08:30:00.500Z",
      recorded_at: expect.stringMatching(/Z$/),
      reverses: null,
      metadata: { invoice_id: "in_1" },
      postings: [{ debit: "1010/usd", credit: "1100/usd/customer=acme", amount_minor: "1250" }],
    });
  });

  test.each([1, 4, 13])("come page by page of %i, each once", async (limit) => {
    const keys: string[] = [];
    for (let cursor = ""; ; ) {
      const page = await get(`/v1/ledger/entries?limit=${limit}${cursor}`);
      keys.push(...keysOf(page));
      if (page.next_cursor === null) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(keys).toEqual(newestFirst);
  });

  test("of one account come page by page too, each once, whichever side it was on", async () => {
    const account = encoded("1100/usd/customer=acme");
    const first = await get(`/v1/ledger/entries?account=${account}&limit=3`);
    const rest = await get(`/v1/ledger/entries?account=${account}&limit=100&cursor=${first.next_cursor}`);
    const acmes = story.filter(({ postings }) =>
      postings.some(({ debit, credit }) =>
        [debit, credit].some((ref) => ref.code === "1100" && ref.customerId === "acme"),
      ),
    );
    expect([...keysOf(first), ...keysOf(rest)]).toEqual(acmes.map(({ sourceKey }) => sourceKey).toReversed());
    expect(rest.next_cursor).toBeNull();
  });

  test.each([
    { query: "customer=kiku", keys: ["kiku/1"] },
    { query: "kind=payment_succeeded", keys: ["payment/pay_1/succeeded"] },
    { query: "kind=none", keys: [] },
    { query: "cause_type=invoice&cause_id=in_1", keys: ["invoice/in_1/issued"] },
    { query: "cause_type=invoice&cause_id=in_1&kind=invoice_issued", keys: ["invoice/in_1/issued"] },
    { query: "cause_type=invoice&cause_id=in_1&kind=invoice_voided", keys: [] },
    { query: `cause_type=${encoded("@SUM(1+1)")}&cause_id=${encoded("-2+3")}`, keys: [formula] },
    {
      query: `cause_type=${encoded(letters)}&cause_id=${encoded("'already")}&kind=test`,
      keys: [letters],
    },
    { query: "invoice=in_1", keys: ["payment/pay_1/succeeded", "invoice/in_1/issued"] },
    { query: "account=1010/usd", keys: ["payment/pay_1/succeeded"] },
    { query: `account=${encoded('4000/usd/product=a "b", c%2Fd')}`, keys: [letters] },
    { query: "account=4711/usd", keys: [] },
    { query: "account=999999", keys: [] },
    { query: "account=1010/usd&customer=kiku", keys: [] },
    {
      query: "effective_from=2026-02-01T00:00:00Z&effective_to=2026-03-01T00:00:00Z",
      keys: ["balance/1", "february/1"],
    },
    { query: "effective_to=2026-01-05T00:00:00.001Z", keys: ["late/1"] },
    { query: "effective_to=2026-01-05T00:00:00Z", keys: [] },
    { query: "recorded_to=2026-01-01T00:00:00Z", keys: [] },
    { query: "recorded_from=2026-01-01T00:00:00Z&customer=dina", keys: ["dina/1"] },
  ])("are found by $query", async ({ query, keys }) => {
    expect(keysOf(await get(`/v1/ledger/entries?${query}`))).toEqual(keys);
  });

  test("are found by an account's id as by its key", async () => {
    const [{ id }] = (await get("/v1/ledger/accounts?key=1010/usd")).data;
    expect(await get(`/v1/ledger/entries?account=${id}`)).toEqual(
      await get("/v1/ledger/entries?account=1010/usd"),
    );
  });

  test("are found by when they were recorded", async () => {
    const { recorded_at: at } = await get("/v1/ledger/entries/5");
    const within = await get(
      `/v1/ledger/entries?recorded_from=${at}&recorded_to=${new Date(Date.parse(at) + 1).toISOString()}`,
    );
    expect(within.data.map(({ id }: { id: string }) => id)).toContain("5");
    const before = await get(`/v1/ledger/entries?recorded_to=${at}&limit=100`);
    const ids = before.data.map(({ id }: { id: string }) => Number(id));
    expect(Math.max(...ids)).toBeLessThan(5);
  });

  test("one is read by its id, its texts as they were written", async () => {
    const entry = await get("/v1/ledger/entries/6");
    expect(entry).toMatchObject({ source_key: letters, cause: { type: letters, id: "'already" } });
    expect((await get("/v1/ledger/entries/5")).metadata).toEqual({ invoice_id: "\t=1" });
    expect((await get("/v1/ledger/entries/12")).postings[0].amount_minor).toBe(`${"9".repeat(30)}.99999999`);
    expect((await get("/v1/ledger/entries/11")).postings[0].amount_minor).toBe("0.00000001");
  });

  test.each([
    { path: "/v1/ledger/entries/4711", status: 404, code: "journal_entry_not_found", field: undefined },
    { path: "/v1/ledger/entries/abc", status: 400, code: "request_invalid", field: "id" },
    {
      path: "/v1/ledger/entries?cause_type=invoice",
      status: 400,
      code: "request_invalid",
      field: "cause_id",
    },
    { path: "/v1/ledger/entries?cause_id=in_1", status: 400, code: "request_invalid", field: "cause_type" },
    { path: "/v1/ledger/entries?kind=", status: 400, code: "request_invalid", field: "kind" },
    { path: "/v1/ledger/entries?sort=id", status: 400, code: "request_invalid", field: "sort" },
    {
      path: "/v1/ledger/entries?effective_from=2026",
      status: 400,
      code: "request_invalid",
      field: "effective_from",
    },
    { path: "/v1/ledger/entries?account=a%00b", status: 400, code: "request_invalid", field: "account" },
    { path: "/v1/ledger/entries?cursor=x", status: 400, code: "cursor_invalid", field: "cursor" },
  ])("$path is $status $code", async ({ path, status, code, field }) => {
    const answer = await api.call("GET", path);
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([status, code, field]);
  });

  test("of a customer are the same", async () => {
    expect(await get("/v1/customers/acme/entries?limit=100")).toEqual(
      await get("/v1/ledger/entries?customer=acme&limit=100"),
    );
  });
});
