import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import {
  type JournalRow,
  journalColumns,
  journalHead,
  journalLines,
} from "../../../src/domain/export/journal-rows.ts";
import { currency, ledgerAmount } from "../../../src/domain/money/index.ts";
import { readCsvTable } from "../../support/read-csv.ts";

const row: JournalRow = {
  entryId: 7n,
  line: 1,
  occurredAt: instant("2026-01-31T23:59:59.999Z"),
  effectiveAt: instant("2026-02-01T00:00:00Z"),
  recordedAt: instant("2026-02-01T00:00:01Z"),
  kind: "usage_rated",
  sourceKey: "cycle/sub_1/2026-01-01/rated",
  cause: { type: "cycle", id: "=cmd|' /C calc'!A0" },
  customerId: "acme",
  invoiceId: null,
  currency: currency("usd"),
  debit: "1110/usd/customer=acme",
  credit: '4000/usd/product=tokens, "fast"',
  amount: ledgerAmount(73_456_000_000n),
};

test("a posting as a line of CSV, byte for byte", () => {
  expect(journalHead("csv") + journalLines("csv", [row])).toBe(
    "entry_id,line,occurred_at,effective_at,recorded_at,kind,source_key,cause_type,cause_id,customer,invoice,currency," +
      "debit_code,debit_account,credit_code,credit_account,amount,amount_minor\r\n" +
      "7,1,2026-01-31T23:59:59.999Z,2026-02-01T00:00:00.000Z,2026-02-01T00:00:01.000Z,usage_rated," +
      "cycle/sub_1/2026-01-01/rated,cycle,'=cmd|' /C calc'!A0,acme,,usd," +
      '1110,1110/usd/customer=acme,4000,"4000/usd/product=tokens, ""fast""",7.3456,734.56\r\n',
  );
});

test("the same as a line of JSON: texts as they are stored, nothing where there is none", () => {
  expect(journalHead("jsonl")).toBe("");
  const line = journalLines("jsonl", [row]);
  expect(line.endsWith("}\n")).toBe(true);
  expect(JSON.parse(line)).toEqual({
    entry_id: "7",
    line: "1",
    occurred_at: "2026-01-31T23:59:59.999Z",
    effective_at: "2026-02-01T00:00:00.000Z",
    recorded_at: "2026-02-01T00:00:01.000Z",
    kind: "usage_rated",
    source_key: "cycle/sub_1/2026-01-01/rated",
    cause_type: "cycle",
    cause_id: "=cmd|' /C calc'!A0",
    customer: "acme",
    invoice: null,
    currency: "usd",
    debit_code: "1110",
    debit_account: "1110/usd/customer=acme",
    credit_code: "4000",
    credit_account: '4000/usd/product=tokens, "fast"',
    amount: "7.3456",
    amount_minor: "734.56",
  });
});

describe("amounts in major and in minor units, exact", () => {
  test.each([
    { code: "usd", units: 1n, amount: "0.0000000001", minor: "0.00000001" },
    {
      code: "usd",
      units: 10n ** 38n - 1n,
      amount: `${"9".repeat(28)}.9999999999`,
      minor: `${"9".repeat(30)}.99999999`,
    },
    { code: "usd", units: 125_000_000_000n, amount: "12.50", minor: "1250" },
    { code: "jpy", units: 123_400_000_000n, amount: "1234", minor: "1234" },
    { code: "jpy", units: 1n, amount: "0.00000001", minor: "0.00000001" },
    { code: "kwd", units: 123_456_700_000n, amount: "1.234567", minor: "1234.567" },
    { code: "kwd", units: 100_000_000_000n, amount: "1.000", minor: "1000" },
  ])("$units units of $code are $amount", ({ code, units, amount, minor }) => {
    const [line] = readCsvTable(
      journalHead("csv") +
        journalLines("csv", [{ ...row, currency: currency(code), amount: ledgerAmount(units) }]),
    );
    expect([line?.amount, line?.amount_minor]).toEqual([amount, minor]);
  });
});

test("every column is told in docs/journal-export.md, in the order of the file", () => {
  const document = readFileSync(join(import.meta.dirname, "../../../docs/journal-export.md"), "utf8");
  const [, columns = ""] = document.split("## Columns");
  const told = [...columns.matchAll(/^\| (`.+?`) \|/gm)].flatMap(([, cell = ""]) =>
    cell.split(", ").map((name) => name.replaceAll("`", "")),
  );
  expect(told).toEqual(journalColumns.map(({ name }) => name));
});
