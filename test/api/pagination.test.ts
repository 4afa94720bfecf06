import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { insertAsOwner } from "./support/billing-rows.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
/** 60 customers in 12 instants, five in each: the id must decide within an instant. */
const total = 60;

beforeAll(async () => {
  api = await startApi();
  await insertAsOwner(
    api.ownerUrl,
    `insert into billing.customer (id, name, email, currency, time_zone, created_at)
     select 'c' || lpad(n::text, 3, '0'), 'Customer ' || n, 'c' || n || '@test.test', 'usd', 'UTC',
       timestamptz '2026-01-01T00:00:00Z' + (n / 5) * interval '1 millisecond'
     from generate_series(0, ${total - 1}) n`,
  );
});
afterAll(() => api.stop());

async function walk(path: string, limit: number): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = [];
  let pages = 0;
  for (let cursor = ""; ; pages++) {
    const separator = path.includes("?") ? "&" : "?";
    const { status, body } = await api.call(
      "GET",
      `${path}${separator}limit=${limit}${cursor && `&cursor=${cursor}`}`,
    );
    expect(status).toBe(200);
    ids.push(...body.data.map(({ id }: { id: string }) => id));
    if (body.next_cursor === null) return { ids, pages: pages + 1 };
    expect(body.data).toHaveLength(limit);
    cursor = body.next_cursor;
  }
}

const newestFirst = Array.from({ length: total }, (_, n) => `c${String(total - 1 - n).padStart(3, "0")}`);

describe("a list, page by page", () => {
  test.each([
    { limit: 1, pages: 60 },
    { limit: 7, pages: 9 },
    { limit: 60, pages: 1 },
    { limit: 100, pages: 1 },
  ])("pages of $limit: $pages of them, every item once, in order", async ({ limit, pages }) => {
    expect(await walk("/v1/customers", limit)).toEqual({ ids: newestFirst, pages });
  });

  test("a list with an exact multiple of the limit has no empty last page", async () => {
    expect((await walk("/v1/customers", 20)).pages).toBe(3);
  });

  test("what is added at the front while someone walks neither repeats nor hides an item", async () => {
    const first = await api.call("GET", "/v1/customers?limit=10");
    await api.call("POST", "/v1/customers", {
      id: "late",
      name: "Late",
      email: "l@test.test",
      currency: "usd",
    });
    const second = await api.call("GET", `/v1/customers?limit=10&cursor=${first.body.next_cursor}`);
    const ids = [...first.body.data, ...second.body.data].map(({ id }) => id);
    expect(ids).toEqual(newestFirst.slice(0, 20));
  });

  test("a filter is kept on every page", async () => {
    // c010 … c019 have a 1 in the tens, c001, c021, c031, c041, c051 in the ones.
    const { ids } = await walk("/v1/customers?search=C01", 3);
    expect(ids).toEqual(newestFirst.filter((id) => id.startsWith("c01")));
  });

  test("signs that mean something to SQL are only themselves in a search", async () => {
    for (const search of ["%25", "_", "%5C"]) {
      expect((await api.call("GET", `/v1/customers?search=${search}`)).body.data).toEqual([]);
    }
  });
});

describe("a cursor that is not one of this list", () => {
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  test.each([
    "nonsense",
    encoded("text"),
    encoded([]),
    encoded(["yesterday", "c001"]),
    encoded([1, 2]),
    encoded(["2026-01-01T00:00:00Z"]).slice(0, 10),
  ])("%s is refused", async (cursor) => {
    const answer = await api.call("GET", `/v1/customers?cursor=${cursor}`);
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, "cursor_invalid", "cursor"]);
  });

  test("of another kind of list is refused", async () => {
    const { body } = await api.call("GET", "/v1/customers?limit=1");
    const answer = await api.call("GET", `/v1/customers/c001/entries?cursor=${body.next_cursor}`);
    expect([answer.status, answer.body.code]).toEqual([400, "cursor_invalid"]);
  });
});
