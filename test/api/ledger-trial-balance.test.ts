import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tellStory } from "./support/ledger-story.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
  await tellStory(api);
});
afterAll(() => api.stop());

const get = async (path: string) => (await api.call("GET", path)).body;
const sides = (debit_minor: string, credit_minor = debit_minor) => ({ debit_minor, credit_minor });
const sums = (debit: string, credit: string, balance_minor: string) => ({
  ...sides(debit, credit),
  balance_minor,
});

describe("the trial balance", () => {
  test("of now: sums may be longer than any account can hold", async () => {
    const { data, totals, ...rest } = await get("/v1/ledger/trial-balance?currency=usd");
    expect(rest).toEqual({});
    // 1250 + 100 + 0.5 + 5000 + 40 + 7.5 + 0.00000001, and twice the largest amount: 2 × 10³⁰ − 2 × 10⁻⁸
    const owed = `${2n * 10n ** 30n + 6397n}.99999999`;
    expect(data.find(({ code }: { code: string }) => code === "1100")).toEqual({
      currency: "usd",
      code: "1100",
      name: "Accounts receivable",
      ...sums(owed, "1250", `${2n * 10n ** 30n + 5147n}.99999999`),
    });
    expect(totals).toEqual([
      { currency: "usd", ...sides(`${2n * 10n ** 30n + 9947n}.24999999`), balanced: true },
    ]);
  });

  test("of a month: what was there, what moved, what there is", async () => {
    const { month, data, totals } = await get("/v1/ledger/trial-balance?month=2026-02&currency=usd");
    expect(month).toBe("2026-02");
    const lines = Object.fromEntries(
      data.map(({ code, currency, name, ...line }: { code: string; currency: string; name: string }) => [
        code,
        line,
      ]),
    );
    expect(lines).toEqual({
      "1010": { ...sums("1250", "0", "1250"), opening: sums("1250", "0", "1250"), movements: sides("0") },
      // 1250 + 100 + 0.5 + 5000 + 7.5 of the entry that came late, then 40
      "1100": {
        ...sums("6398", "1250", "5148"),
        opening: sums("6358", "1250", "5108"),
        movements: sides("40", "0"),
      },
      "2000": {
        ...sums("1999.25", "5000", "3000.75"),
        opening: sums("0", "5000", "5000"),
        movements: sides("1999.25", "0"),
      },
      "2010": { ...sums("0", "300", "300"), opening: sums("0", "0", "0"), movements: sides("0", "300") },
      "2200": { ...sums("0", "40", "40"), opening: sums("0", "0", "0"), movements: sides("0", "40") },
      "4000": {
        ...sums("0", "3357.25", "3357.25"),
        opening: sums("0", "1358", "1358"),
        movements: sides("0", "1999.25"),
      },
      "5900": { ...sums("300", "0", "300"), opening: sums("0", "0", "0"), movements: sides("300", "0") },
    });
    expect(totals).toEqual([
      {
        currency: "usd",
        ...sides("9947.25"),
        opening: sides("7608"),
        movements: sides("2339.25"),
        balanced: true,
      },
    ]);
  });

  test("a month's closing is the next one's opening, and the balance as of its last millisecond", async () => {
    const january = await get("/v1/ledger/trial-balance?month=2026-01");
    const asOf = await get("/v1/ledger/trial-balance?effective_at=2026-01-31T23:59:59.999Z");
    expect(asOf.effective_at).toBe("2026-01-31T23:59:59.999Z");
    const closing = january.data.map(({ opening, movements, ...line }: Record<string, unknown>) => line);
    expect(closing).toEqual(asOf.data);
    expect(january.totals.map(({ currency }: { currency: string }) => currency)).toEqual([
      "jpy",
      "kwd",
      "usd",
    ]);
    expect((await get("/v1/ledger/trial-balance?month=2025-12")).data).toEqual([]);
  });

  test("a month as it looked before something came late", async () => {
    const { recorded_at: late } = await get("/v1/ledger/entries/10");
    const before = new Date(Date.parse(late) - 1).toISOString();
    const movedBy = async (at: string) => {
      const { data } = await get(`/v1/ledger/trial-balance?month=2026-01&currency=usd&recorded_at=${at}`);
      return data.find(({ code }: { code: string }) => code === "4000").movements.credit_minor;
    };
    const [seen, unseen] = [await movedBy(late), await movedBy(before)];
    expect(Number(seen) - Number(unseen)).toBeGreaterThanOrEqual(7.5);
    expect(seen).toBe("1358");
  });

  test.each([
    { query: "month=2026-1", field: "month" },
    { query: "month=2026-13", field: "month" },
    { query: "month=2026-01-01", field: "month" },
    { query: "month=", field: "month" },
    { query: "month=2026-01&effective_at=2026-01-05T00:00:00Z", field: "effective_at" },
    { query: "currency=xxx", field: "currency" },
    { query: "year=2026", field: "year" },
  ])("$query is refused at $field", async ({ query, field }) => {
    const answer = await api.call("GET", `/v1/ledger/trial-balance?${query}`);
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, "request_invalid", field]);
  });
});
