import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { draft, grantOf, move, owed, revenue } from "../db/ledger-fixture.ts";
import { readCsvTable } from "../support/read-csv.ts";
import { insertAsOwner } from "./support/billing-rows.ts";
import { formula, postOrFail, tellStory } from "./support/ledger-story.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
  await tellStory(api);
  await insertAsOwner(
    api.ownerUrl,
    `insert into billing.credit_grant (id, customer_id, kind, currency, amount_minor, priority, effective_at, created_at)
     select id, customer, 'goodwill', 'usd', 5000, 50, '2026-01-31', '2026-01-31'
     from (values ('g1', 'acme'), ('other', 'huge')) as granted (id, customer)`,
  );
});
afterAll(() => api.stop());

const path = (query: string, customer = "acme") => `/v1/customers/${customer}/statement?${query}`;
const get = async (query: string, customer?: string) => (await api.call("GET", path(query, customer))).body;
const january = "from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z";
const february = "from=2026-02-01T00:00:00Z&to=2026-03-01T00:00:00Z";

interface Line {
  readonly source_key: string;
  readonly amount_minor: string;
  readonly balance_minor: string;
  readonly version: string;
}
const figures = ({ data }: { data: readonly Line[] }) =>
  data.map(({ source_key, version, amount_minor, balance_minor }) => {
    return [source_key, version, amount_minor, balance_minor].join(" | ");
  });

describe("a statement", () => {
  test("by effective dates: what came late stands at its date, under the number it was recorded with", async () => {
    const statement = await get(`account=receivable&${january}`);
    expect(statement).toMatchObject({
      customer: "acme",
      account: "receivable",
      grant: null,
      currency: "usd",
      by: "effective",
      from: "2026-01-01T00:00:00.000Z",
      to: "2026-02-01T00:00:00.000Z",
      opening_minor: "0",
      closing_minor: "5108",
    });
    expect(figures(statement)).toEqual([
      "late/1 | 7 | 7.5 | 7.5",
      "invoice/in_1/issued | 1 | 1250 | 1257.5",
      "payment/pay_1/succeeded | 2 | -1250 | 7.5",
      `${formula} | 3 | 100 | 107.5`,
      expect.stringMatching(/ \| 4 \| 0.5 \| 108$/),
      "credits/1 | 5 | 5000 | 5108",
    ]);
    expect(statement.data[1]).toEqual({
      entry: "1",
      line: 1,
      account: "1100/usd/customer=acme",
      version: "1",
      kind: "invoice_issued",
      source_key: "invoice/in_1/issued",
      cause: { type: "invoice", id: "in_1" },
      invoice: "in_1",
      occurred_at: "2026-01-10T00:00:00.000Z",
      effective_at: "2026-01-10T00:00:00.000Z",
      recorded_at: expect.stringMatching(/Z$/),
      amount_minor: "1250",
      balance_minor: "1257.5",
    });
  });

  test("a period begins where the one before it ended", async () => {
    const statement = await get(`account=receivable&${february}`);
    expect([statement.opening_minor, statement.closing_minor]).toEqual(["5108", "5148"]);
    expect(figures(statement)).toEqual(["balance/1 | 6 | 40 | 5148"]);
  });

  test("by recording: the account's own order, without a gap", async () => {
    const statement = await get("account=receivable&by=recorded");
    expect([statement.from, statement.to, statement.opening_minor]).toEqual([null, null, "0"]);
    expect(statement.data.map(({ version }: Line) => version)).toEqual([
      "1",
      "2",
      "3",
      "4",
      "5",
      "6",
      "7",
      "8",
    ]);
    expect(statement.closing_minor).toBe("5148.00000001");
    const { recorded_at: at } = statement.data[3];
    const [to, from] = [
      await get(`account=receivable&by=recorded&to=${at}`),
      await get(`account=receivable&by=recorded&from=${at}`),
    ];
    expect(to.closing_minor).toBe(from.opening_minor);
    expect([...to.data, ...from.data]).toEqual(statement.data);
  });

  test("of credits adds all grants up, each account with numbers of its own; of one grant it is that one's", async () => {
    const all = await get("account=credits");
    expect(figures(all)).toEqual([
      "credits/1 | 1 | 5000 | 5000",
      "february/1 | 2 | -1999.25 | 3000.75",
      "february/1 | 1 | 300 | 3300.75",
    ]);
    const one = await get("account=credits&grant=g1");
    expect([one.grant, one.closing_minor]).toEqual(["g1", "3000.75"]);
    expect(figures(one)).toEqual(figures(all).slice(0, 2));
  });

  test("of the balance, and in a currency the customer has nothing in", async () => {
    expect(figures(await get("account=balance"))).toEqual(["balance/1 | 1 | 40 | 40"]);
    expect(await get("account=balance&currency=jpy")).toMatchObject({
      currency: "jpy",
      opening_minor: "0",
      closing_minor: "0",
      data: [],
    });
    expect((await get("account=receivable", "kiku")).currency).toBe("jpy");
    expect((await get("account=receivable", "dina")).closing_minor).toBe("1234.00000001");
  });

  test.each([
    { query: "", status: 400, code: "request_invalid", field: "account" },
    { query: "account=revenue", status: 400, code: "request_invalid", field: "account" },
    { query: "account=balance&by=date", status: 400, code: "request_invalid", field: "by" },
    { query: "account=balance&format=xml", status: 400, code: "request_invalid", field: "format" },
    { query: "account=balance&grant=g1", status: 400, code: "request_invalid", field: "grant" },
    { query: "account=balance&limit=1", status: 400, code: "request_invalid", field: "limit" },
    { query: "account=credits&grant=nothing", status: 404, code: "credit_grant_not_found", field: undefined },
    { query: "account=credits&grant=other", status: 404, code: "credit_grant_not_found", field: undefined },
    {
      query: "account=balance&from=2026-02-01T00:00:00Z&to=2026-02-01T00:00:00Z",
      status: 422,
      code: "period_invalid",
      field: "to",
    },
  ])("$query is $status $code", async ({ query, status, code, field }) => {
    const answer = await api.call("GET", path(query));
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([status, code, field]);
  });

  test("of nobody is not found", async () => {
    const answer = await api.call("GET", path("account=balance", "nobody"));
    expect([answer.status, answer.body.code]).toEqual([404, "customer_not_found"]);
  });
});

describe("a statement as CSV", () => {
  const query = `account=receivable&${january}`;

  test("has the same lines between its opening and its closing balance", async () => {
    const json = await get(query);
    const answer = await api.call("GET", path(`${query}&format=csv`));
    expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(answer.headers.get("content-disposition")).toBe(
      'attachment; filename="statement-acme-receivable.csv"',
    );
    const rows = readCsvTable(answer.text);
    expect(rows.map(({ row }) => row)).toEqual(["opening", ...json.data.map(() => "line"), "closing"]);
    expect([rows[0]?.balance, rows.at(-1)?.balance]).toEqual(["0.00", "51.08"]);
    expect([rows[0]?.balance_minor, rows.at(-1)?.balance_minor]).toEqual([
      json.opening_minor,
      json.closing_minor,
    ]);
    const lines = rows.slice(1, -1);
    expect(
      lines.map((line) => [line.version, line.amount_minor, line.balance_minor, line.effective_at]),
    ).toEqual(
      json.data.map((line: Record<string, string>) => [
        line.version,
        line.amount_minor,
        line.balance_minor,
        line.effective_at,
      ]),
    );
    // A negative amount is a number, not a formula.
    expect(lines[2]).toMatchObject({ amount: "-12.50", amount_minor: "-1250", invoice: "in_1" });
    expect(lines[3]).toMatchObject({
      source_key: `'${formula}`,
      cause_type: "'@SUM(1+1)",
      cause_id: "'-2+3",
    });
  });

  test.each([
    { accept: "text/csv", format: "", type: "text/csv; charset=utf-8" },
    { accept: "application/json", format: "", type: "application/json; charset=utf-8" },
    { accept: "*/*", format: "", type: "application/json; charset=utf-8" },
    { accept: "text/csv", format: "&format=json", type: "application/json; charset=utf-8" },
    { accept: "application/json", format: "&format=csv", type: "text/csv; charset=utf-8" },
  ])("Accept: $accept and $format gives $type", async ({ accept, format, type }) => {
    const answer = await api.call("GET", path(query + format), undefined, { headers: { accept } });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, type]);
    expect(answer.headers.get("vary")?.toLowerCase()).toContain("accept");
  });

  test("a refusal is a problem, whatever was accepted", async () => {
    const headers = { accept: "text/csv" };
    const answer = await api.call("GET", path(query, "nobody"), undefined, { headers });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([
      404,
      "application/problem+json; charset=utf-8",
    ]);
  });
});

test("more lines than an answer holds: JSON is refused, CSV is whole", async () => {
  const lines = Array.from({ length: 2_000 }, (_, index) =>
    index % 2 === 0 ? move(owed, grantOf("g1"), 3n) : move(grantOf("g1"), revenue, 1n),
  );
  const drafts = Array.from({ length: 5 }, (_, index) => draft(`many/${index}`, lines));
  await postOrFail(api, drafts);
  const whole = await get("account=credits");
  // With the three lines of the story these are more than 10,000.
  expect([whole.status, whole.code]).toEqual([422, "statement_too_long"]);
  const rows = readCsvTable((await api.call("GET", path("account=credits&format=csv"))).text);
  expect(rows).toHaveLength(10_000 + 3 + 2);
  // 3300.75 of the story, and 5 × 1,000 × (3 − 1) × 10⁻⁸
  expect(rows.at(-1)?.balance_minor).toBe("3300.7501");
});
