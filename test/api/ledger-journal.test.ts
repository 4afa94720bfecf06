import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decimal, sumDecimals } from "../../src/domain/money/index.ts";
import { readCsvTable } from "../support/read-csv.ts";
import { formula, letters, tellStory } from "./support/ledger-story.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
  await tellStory(api);
});
afterAll(() => api.stop());

type Row = Readonly<Record<string, string>>;

const journal = (query: string) => api.call("GET", `/v1/ledger/journal?${query}`);
const csvRows = async (month: string) => readCsvTable((await journal(`month=${month}`)).text);
async function jsonRows(month: string): Promise<Row[]> {
  const { text } = await journal(`month=${month}&format=jsonl`);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

describe("the journal of a month", () => {
  test("as CSV is the golden file, byte for byte", async () => {
    const answer = await journal("month=2026-01&format=csv");
    expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(answer.headers.get("content-disposition")).toBe('attachment; filename="journal-2026-01.csv"');
    // The database's clock is not ours.
    const recordedAt = /(?<=^(?:[^,]*,){4})\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z/gm;
    const written = answer.text.replaceAll(recordedAt, "2026-03-01T12:00:00.000Z");
    expect(written).toBe(await readFile(join(import.meta.dirname, "golden/journal-2026-01.csv"), "utf8"));
  });

  test("as JSON Lines has the same rows, its texts as they are stored", async () => {
    const answer = await journal("month=2026-01&format=jsonl");
    expect(answer.headers.get("content-type")).toBe("application/jsonl; charset=utf-8");
    expect(answer.headers.get("content-disposition")).toBe('attachment; filename="journal-2026-01.jsonl"');
    const [csv, json] = [await csvRows("2026-01"), await jsonRows("2026-01")];
    const stored = (text: string) => text.replace(/^'/, "");
    const texts = [
      "kind",
      "source_key",
      "cause_type",
      "cause_id",
      "customer",
      "invoice",
      "debit_account",
      "credit_account",
    ];
    expect(
      csv.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, cell]) => [name, texts.includes(name) ? stored(cell) : cell]),
        ),
      ),
    ).toEqual(
      json.map((row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, cell ?? ""]))),
    );
    expect(json.map(({ entry_id }) => entry_id)).toEqual(["1", "2", "3", "4", "5", "6", "7", "10"]);
    expect(json[4]).toMatchObject({
      source_key: formula,
      cause_type: "@SUM(1+1)",
      cause_id: "-2+3",
      invoice: "\t=1",
    });
    expect(json[5]).toMatchObject({ source_key: letters, cause_type: letters, invoice: null });
    expect(json[0]).toMatchObject({
      debit_code: "1100",
      credit_code: "4000",
      amount: "12.50",
      amount_minor: "1250",
    });
  });

  test("has no cell that a spreadsheet would take for a formula", async () => {
    for (const row of await csvRows("2026-01")) {
      for (const cell of Object.values(row)) expect(cell).not.toMatch(/^[=+\-@\t\r\n]/);
    }
  });

  test("in which nothing happened is a header, or nothing", async () => {
    const { text } = await journal("month=2020-01");
    expect(text).toMatch(/^entry_id,line,.*,amount_minor\r\n$/);
    expect((await journal("month=2020-01&format=jsonl")).text).toBe("");
  });

  test.each([
    { query: "", field: "month" },
    { query: "month=2026", field: "month" },
    { query: "month=2026-01&format=xlsx", field: "format" },
    { query: "month=2026-01&currency=usd", field: "currency" },
  ])("is refused at $field for $query", async ({ query, field }) => {
    const answer = await journal(query);
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, "request_invalid", field]);
    expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  });
});

describe("the rows of an export add up", () => {
  test.each(["2025-12", "2026-01", "2026-02", "2026-03"])(
    "in %s to its totals and to the movements of the trial balance, in both formats",
    async (month) => {
      const totals = (await api.call("GET", `/v1/ledger/journal/totals?month=${month}`)).body;
      const trialBalance = (await api.call("GET", `/v1/ledger/trial-balance?month=${month}`)).body;
      const movements = trialBalance.data.map(
        ({ currency, code, movements }: { currency: string; code: string; movements: object }) => {
          return { currency, code, ...movements };
        },
      );
      const moved = movements.filter(
        ({ debit_minor, credit_minor }: Row) => debit_minor !== "0" || credit_minor !== "0",
      );
      for (const rows of [await csvRows(month), await jsonRows(month)]) {
        expect(totals.postings).toBe(String(rows.length));
        expect(totals.entries).toBe(String(new Set(rows.map(({ entry_id }) => entry_id)).size));
        expect(addedUp(rows)).toEqual(moved);
      }
      expect(totals.month).toBe(month);
      expect(totals.data.map(({ name, ...line }: Row) => line)).toEqual(moved);
      for (const total of totals.totals) {
        expect(total).toMatchObject({ balanced: true, debit_minor: total.credit_minor });
      }
    },
  );

  test.each(["month=2026-1", "", "month=2026-01&format=csv"])("totals are refused for %j", async (query) => {
    const answer = await api.call("GET", `/v1/ledger/journal/totals?${query}`);
    expect([answer.status, answer.body.code]).toEqual([400, "request_invalid"]);
  });
});

/** What the rows come to by currency and code, from what they say and nothing else. */
function addedUp(rows: readonly Row[]): Row[] {
  const sides = rows.flatMap(({ currency = "", debit_code = "", credit_code = "", amount_minor = "" }) => [
    { key: `${currency} ${debit_code}`, debit: amount_minor, credit: "0" },
    { key: `${currency} ${credit_code}`, debit: "0", credit: amount_minor },
  ]);
  return [...Map.groupBy(sides, ({ key }) => key)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, ofCode]) => {
      const [currency = "", code = ""] = key.split(" ");
      return {
        currency,
        code,
        debit_minor: exactSum(ofCode.map(({ debit }) => debit)),
        credit_minor: exactSum(ofCode.map(({ credit }) => credit)),
      };
    });
}

const exactSum = (texts: readonly string[]): string => sumDecimals(texts.map((text) => decimal(text))).text;
