import { describe, expect, test } from "vitest";
import { decodeForm, FormError } from "../../src/sandbox/stripe/http/form.ts";
import { StripeRefusal } from "../../src/sandbox/stripe/http/refusal.ts";
import { roundedProduct } from "../../src/sandbox/stripe/resources/invoice-lines.ts";
import { compileReader, type RequestSchema } from "../../src/sandbox/stripe/schema/reader.ts";

describe("bracketed forms", () => {
  test.each([
    { text: "", tree: {} },
    { text: "name=Ada+Lovelace", tree: { name: "Ada Lovelace" } },
    { text: "metadata[a]=1&metadata[b]=%C3%A9", tree: { metadata: { a: "1", b: "é" } } },
    { text: "expand[]=a&expand[]=b", tree: { expand: { 0: "a", 1: "b" } } },
    {
      text: "lines[0][amount]=5&lines[1][amount]=6",
      tree: { lines: { 0: { amount: "5" }, 1: { amount: "6" } } },
    },
    { text: "a%5Bb%5D=1", tree: { a: { b: "1" } } },
    { text: "__proto__[polluted]=1", tree: { ["__proto__"]: { polluted: "1" } } },
    { text: "empty=", tree: { empty: "" } },
  ])("$text", ({ text, tree }) => {
    expect(JSON.parse(JSON.stringify(decodeForm(text)))).toEqual(tree);
    expect("polluted" in {}).toBe(false);
  });

  test.each([
    { text: "a[b=1", why: "brackets do not match" },
    { text: "a]b[=1", why: "brackets do not match" },
    { text: "[a]=1", why: "brackets do not match" },
    { text: "a=1&a=2", why: "it is given twice" },
    { text: "a=1&a[b]=2", why: "it is both a value and an object" },
    { text: `a${"[b]".repeat(20)}=1`, why: "too deep" },
  ])("$text is refused: $why", ({ text, why }) => {
    expect(() => decodeForm(text)).toThrow(FormError);
    expect(() => decodeForm(text)).toThrow(why);
  });
});

describe("values by schema", () => {
  const period: RequestSchema = {
    type: "object",
    properties: { start: { type: "integer" }, end: { type: "integer" } },
    required: ["start", "end"],
  };
  const emptyable: RequestSchema = { anyOf: [{ type: "integer" }, { type: "string", enum: [""] }] };

  test.each([
    { schema: { type: "integer" }, value: "-12", typed: -12 },
    { schema: { type: "boolean" }, value: "true", typed: true },
    { schema: { type: "array", items: { type: "integer" } }, value: { 1: "8", 0: "7" }, typed: [7, 8] },
    { schema: period, value: { start: "1", end: "2" }, typed: { start: 1, end: 2 } },
    { schema: emptyable, value: "", typed: "" },
    { schema: emptyable, value: "5", typed: 5 },
    { schema: { type: "string", format: "decimal" }, value: "0.123456789012", typed: "0.123456789012" },
  ])("$value is read as $typed", ({ schema, value, typed }) => {
    expect(compileReader(schema)(value, "p")).toEqual(typed);
  });

  test.each([
    { schema: { type: "integer" }, value: "1.5", message: "Invalid integer: 1.5" },
    { schema: { type: "integer" }, value: "0x10", message: "Invalid integer: 0x10" },
    { schema: { type: "boolean" }, value: "yes", message: "Invalid boolean: yes" },
    { schema: { type: "string", enum: ["a", "b"] }, value: "c", message: "must be one of a, b" },
    { schema: { type: "string", maxLength: 3 }, value: "long", message: "at most 3 characters" },
    {
      schema: { type: "string", format: "decimal" },
      value: "0.1234567890123",
      message: "at most 12 decimal",
    },
    { schema: period, value: { start: "1" }, message: "Missing required param: p[end]" },
    {
      schema: period,
      value: { start: "1", end: "2", ned: "3" },
      message: "Received unknown parameter: p[ned]",
    },
    { schema: { type: "array", items: {} }, value: { x: "1" }, message: "Invalid array" },
    { schema: emptyable, value: "x", message: "Invalid integer: x" },
  ])("$value is refused: $message", ({ schema, value, message }) => {
    expect(() => compileReader(schema)(value, "p")).toThrow(StripeRefusal);
    expect(() => compileReader(schema)(value, "p")).toThrow(message);
  });
});

test.each([
  { price: "0.35", quantity: 1000, amount: 350, sum: "0.35 × 1000" },
  { price: "0.000000000001", quantity: 500_000_000, amount: 0, sum: "0.0005" },
  { price: "0.5", quantity: 1, amount: 1, sum: "a half goes up" },
  { price: "-0.5", quantity: 1, amount: -1, sum: "away from zero" },
  { price: "1.499999999999", quantity: 1, amount: 1, sum: "just below the half" },
  { price: "12", quantity: 3, amount: 36, sum: "12 × 3" },
])("$price × $quantity is $amount ($sum)", ({ price, quantity, amount }) => {
  expect(roundedProduct(price, quantity)).toBe(amount);
});
