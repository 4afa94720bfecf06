import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvLine, harmlessText } from "../../../src/domain/export/csv.ts";
import { readCsv } from "../../support/read-csv.ts";

describe("a line of CSV", () => {
  test.each([
    { cells: ["a", "b"], line: "a,b\r\n", why: "plain cells are written as they are" },
    { cells: ["", ""], line: ",\r\n", why: "empty cells are nothing between commas" },
    { cells: ["a,b", "c"], line: '"a,b",c\r\n', why: "a comma needs quotes" },
    { cells: ['say "x"'], line: '"say ""x"""\r\n', why: "quotes are doubled inside quotes" },
    { cells: ["a\r\nb\nc"], line: '"a\r\nb\nc"\r\n', why: "line breaks stay inside quotes" },
    { cells: [" a "], line: " a \r\n", why: "spaces are part of a cell" },
    { cells: ["مرحبا 🧾 é"], line: "مرحبا 🧾 é\r\n", why: "any script, any direction" },
  ])("$why", ({ cells, line }) => {
    expect(csvLine(cells)).toBe(line);
  });

  test("comes back as it was from a reader that knows nothing but RFC 4180", () => {
    const anyCell = fc.string({ unit: fc.constantFrom("a", ",", '"', "\r", "\n", "=", "'", "é", "🧾") });
    fc.assert(
      fc.property(fc.array(fc.array(anyCell, { minLength: 2, maxLength: 4 }), { minLength: 1 }), (rows) => {
        expect(readCsv(rows.map(csvLine).join(""))).toEqual(rows);
      }),
    );
  });
});

describe("a text made harmless for spreadsheets", () => {
  test.each([
    { text: "=1+1", harmless: "'=1+1" },
    { text: "+1", harmless: "'+1" },
    { text: "-1", harmless: "'-1" },
    { text: "@SUM(A1)", harmless: "'@SUM(A1)" },
    { text: "\t=1", harmless: "'\t=1" },
    { text: "\r=1", harmless: "'\r=1" },
    { text: "\n=1", harmless: "'\n=1" },
    { text: "＝1+1", harmless: "'＝1+1" },
    { text: "'=1", harmless: "''=1" },
    { text: "a=1", harmless: "a=1" },
    { text: "", harmless: "" },
    { text: "1100/usd/customer=acme", harmless: "1100/usd/customer=acme" },
  ])("$text", ({ text, harmless }) => {
    expect(harmlessText(text)).toBe(harmless);
  });

  test("begins with nothing that begins a formula, and taking a first apostrophe away gives it back", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("=", "+", "-", "@", "\t", "\r", "\n", "'", "a") }),
        (text) => {
          const harmless = harmlessText(text);
          expect(harmless).not.toMatch(/^[=+\-@\t\r\n]/);
          expect(harmless.replace(/^'/, "")).toBe(text);
        },
      ),
    );
  });
});
