import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonLines } from "../../src/api/ingest/json-lines.ts";
import { BillingError } from "../../src/domain/errors.ts";

const malformed = Symbol("malformed");

/** What the lines are, read by the simplest means. */
const expected = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      try {
        return JSON.parse(line);
      } catch {
        return malformed;
      }
    });

const anyLine = fc.oneof(
  fc.json({ maxDepth: 2 }),
  fc.constantFrom("", " ", "\t\r", "{", '"größer 大 🎉"', "null"),
  fc.string({ unit: "binary" }).map((text) => JSON.stringify(text.replaceAll("\n", ""))),
);

test("wherever the pieces of a body end, its lines are the same", () => {
  fc.assert(
    fc.property(
      fc.array(anyLine, { maxLength: 12 }).map((lines) => lines.join("\n")),
      fc.array(fc.nat({ max: 300 }), { maxLength: 8 }),
      (text, cuts) => {
        const bytes = Buffer.from(text);
        const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
        const lines = new JsonLines(100);
        let from = 0;
        for (const end of [...ends, bytes.length]) {
          lines.take(bytes.subarray(from, end));
          from = end;
        }
        lines.end();
        const inputs = lines.inputs.map((input) => (input instanceof BillingError ? malformed : input));
        expect(inputs).toEqual(expected(bytes.toString()));
      },
    ),
    { numRuns: 300 },
  );
});
