import { describe, expect, test } from "vitest";
import { evaluate } from "../../../src/domain/metering/expression/evaluate.ts";
import {
  expressionDepthMax,
  expressionLengthMax,
} from "../../../src/domain/metering/expression/parse-expression.ts";
import { type JsonValue, parseExpression } from "../../../src/domain/metering/index.ts";

const evaluated = (text: string, data: Record<string, JsonValue> = {}) =>
  evaluate(parseExpression(text), data).rounded(20, "half-even").text;

describe("what an expression comes to", () => {
  test.each([
    { text: "input + output * 4", data: { input: 1200, output: 80 }, result: "1520", why: "1200 + 320" },
    { text: "(input + output) * 4", data: { input: 1200, output: 80 }, result: "5120", why: "1280 × 4" },
    { text: "10 - 4 - 3", result: "3", why: "from left to right" },
    { text: "2 * 3 / 4 * 2", result: "3", why: "from left to right: 6 / 4 × 2" },
    { text: "-a + 5", data: { a: 2 }, result: "3", why: "the sign binds first" },
    { text: "--a", data: { a: 2 }, result: "2", why: "twice is not at all" },
    { text: "0.1 + 0.2", result: "0.3", why: "exact" },
    { text: "a / 3 * 3", data: { a: 1 }, result: "1", why: "a third is exact until the end" },
    { text: "1 / 3", result: "0.33333333333333333333", why: "rounded once, to 20 decimals" },
    { text: "2 / 3", result: "0.66666666666666666667", why: "to the nearest" },
    { text: "a", data: { a: "12345678901234567890.5" }, result: "12345678901234567890.5", why: "text" },
    { text: "usage.tokens.input", data: { usage: { tokens: { input: 7 } } }, result: "7", why: "nested" },
    { text: "ceil(ms / 1000)", data: { ms: 2001 }, result: "3", why: "2.001 s, begun seconds count" },
    { text: "ceil(ms / 1000)", data: { ms: 2000 }, result: "2", why: "exactly 2 s" },
    { text: "ceil(-0.5) - floor(-0.5)", result: "1", why: "0 − −1" },
    { text: "floor(a)", data: { a: 2.9 }, result: "2", why: "down" },
    { text: "round(2.5, 0) + round(3.5, 0)", result: "6", why: "a tie goes to the even digit: 2 + 4" },
    { text: "round(1 / 3, 2)", result: "0.33", why: "two decimals" },
    { text: "min(a, b, 5)", data: { a: 7, b: 6 }, result: "5", why: "the smallest" },
    { text: "max(used - 100, 0)", data: { used: 40 }, result: "0", why: "never below zero" },
    { text: "coalesce(cached, 0)", data: {}, result: "0", why: "missing" },
    { text: "coalesce(cached, 0)", data: { cached: null }, result: "0", why: "null is missing" },
    { text: "coalesce(cached, 0)", data: { cached: 3 }, result: "3", why: "there" },
    { text: "if(n > 0, total / n, 0)", data: { total: 6, n: 4 }, result: "1.5", why: "6 / 4" },
    { text: "if(n > 0, total / n, 0)", data: { total: 6, n: 0 }, result: "0", why: "nothing is divided" },
    { text: "if(a == b, 1, 2)", data: { a: 0.5, b: "0.50" }, result: "1", why: "equal numbers" },
    { text: "if(a != b, 1, 2)", data: { a: 1, b: 2 }, result: "1", why: "unequal" },
    { text: "if(a <= 1, 1, 2) + if(a >= 1, 10, 20) + if(a < 1, 100, 200)", data: { a: 1 }, result: "211" },
    { text: "min + max", data: { min: 1, max: 2 }, result: "3", why: "names without ( are members" },
    { text: " a\t*\n2 ", data: { a: 2 }, result: "4", why: "white space" },
    { text: "007.50", result: "7.5", why: "a number, written at length" },
  ] as { text: string; data?: Record<string, JsonValue>; result: string; why?: string }[])(
    "$text of $data is $result: $why",
    ({ text, data, result }) => {
      expect(evaluated(text, data)).toBe(result);
    },
  );
});

describe("what is refused when a meter is published, and where", () => {
  const operand = 'expected a number, a member of data, a function or "("';
  test.each([
    { text: "", position: 1, message: `${operand}, not the end` },
    { text: "a +", position: 4, message: `${operand}, not the end` },
    { text: "a + * b", position: 5, message: `${operand}, not "*"` },
    { text: "(a", position: 3, message: 'expected ")", not the end' },
    { text: "a b", position: 3, message: 'expected an operator, not "b"' },
    { text: "a)", position: 2, message: 'expected an operator, not ")"' },
    { text: "a < b", position: 3, message: 'expected an operator, not "<"' },
    { text: "a + $b", position: 5, message: '"$" is not part of any expression' },
    { text: "a ** 2", position: 4, message: `${operand}, not "*"` },
    { text: "data[0]", position: 5, message: '"[" is not part of any expression' },
    { text: "'text'", position: 1, message: `"'" is not part of any expression` },
    { text: "1.2.3", position: 1, message: '"1.2.3" is not a number: write one such as 12.5' },
    { text: "1.", position: 1, message: '"1." is not a number: write one such as 12.5' },
    { text: "1e3", position: 2, message: 'expected an operator, not "e3"' },
    {
      text: "a..b",
      position: 1,
      message: 'expected a member of data, such as input_tokens or usage.input_tokens, not "a..b"',
    },
    { text: "__proto__", position: 1, message: '"_" is not part of any expression' },
    { text: "round(a)", position: 8, message: 'expected ",", as in round(x, decimals), not ")"' },
    { text: "round(a, b)", position: 10, message: 'expected the number of decimals, 0 to 20, not "b"' },
    { text: "round(a, 21)", position: 10, message: 'expected the number of decimals, 0 to 20, not "21"' },
    { text: "round(a, 1.0)", position: 10, message: 'expected the number of decimals, 0 to 20, not "1.0"' },
    { text: "min(a)", position: 6, message: 'expected ",", as in min(a, b, …), not ")"' },
    { text: "ceil(a, b)", position: 7, message: 'expected ")", as in ceil(x), not ","' },
    { text: "if(a, b, c)", position: 5, message: 'expected a comparison (< <= > >= == !=), not ","' },
    { text: "if(a > 1, 2)", position: 12, message: 'expected ",", as in if(a > b, x, y), not ")"' },
    {
      text: "coalesce(1, 2)",
      position: 10,
      message: 'expected a member of data, such as input_tokens or usage.input_tokens, not "1"',
    },
    {
      text: "sqrt(a)",
      position: 1,
      message:
        'there is no function "sqrt": there are if(a > b, x, y), min(a, b, …), max(a, b, …), ceil(x), ' +
        "floor(x), round(x, decimals), coalesce(member, otherwise)",
    },
    {
      text: "constructor(a)",
      position: 1,
      message: expect.stringContaining('there is no function "constructor"'),
    },
  ])("$text: character $position", ({ text, position, message }) => {
    expect(() => parseExpression(text)).toThrow(
      expect.objectContaining({
        code: "expression_invalid",
        position,
        message: typeof message === "string" ? `at character ${position}: ${message}` : message,
      }),
    );
  });

  test("an expression has a greatest length", () => {
    const longest = `1${"+1".repeat((expressionLengthMax - 1) / 2)}0`;
    expect(longest).toHaveLength(expressionLengthMax);
    expect(evaluated(longest)).toBe("259"); // 249 × 1 + 10
    expect(() => parseExpression(`${longest}0`)).toThrow(
      expect.objectContaining({ code: "expression_invalid", position: expressionLengthMax + 1 }),
    );
  });

  test.each([
    { name: "parentheses", nested: (levels: number) => `${"(".repeat(levels)}1${")".repeat(levels)}` },
    { name: "signs", nested: (levels: number) => `${"-".repeat(levels)}1` },
    { name: "functions", nested: (levels: number) => `${"ceil(".repeat(levels)}1${")".repeat(levels)}` },
  ])("$name have a greatest depth", ({ nested }) => {
    expect(() => parseExpression(nested(expressionDepthMax - 1))).not.toThrow();
    expect(() => parseExpression(nested(expressionDepthMax))).toThrow(
      expect.objectContaining({
        code: "expression_invalid",
        message: expect.stringContaining("nested deeper"),
      }),
    );
  });
});

describe("what an event is refused for", () => {
  test.each([
    { text: "a + b", data: { a: 1 }, code: "usage_property_missing", field: "data.b" },
    { text: "a + b.c", data: { a: 1, b: 1 }, code: "usage_property_missing", field: "data.b.c" },
    { text: "toString", data: {}, code: "usage_property_missing", field: "data.toString" },
    { text: "a.length", data: { a: [1] }, code: "usage_property_missing", field: "data.a.length" },
    { text: "a", data: { a: null }, code: "usage_quantity_invalid", field: "data.a" },
    { text: "a", data: { a: true }, code: "usage_quantity_invalid", field: "data.a" },
    { text: "a", data: { a: {} }, code: "usage_quantity_invalid", field: "data.a" },
    { text: "a", data: { a: "1e3" }, code: "usage_quantity_invalid", field: "data.a" },
    { text: "coalesce(a, 0)", data: { a: "x" }, code: "usage_quantity_invalid", field: "data.a" },
    { text: "a", data: { a: Number.NaN }, code: "usage_quantity_invalid", field: "data.a" },
    { text: "a", data: { a: 2 ** 53 }, code: "usage_quantity_too_large", field: "data.a" },
    { text: "1 / a", data: { a: 0 }, code: "usage_division_by_zero", field: "data.a" },
    { text: "1 / (a - a)", data: { a: 1 }, code: "usage_division_by_zero", field: "data" },
  ] as { text: string; data: Record<string, JsonValue>; code: string; field: string }[])(
    "$text of $data: $code at $field",
    ({ text, data, code, field }) => {
      expect(() => evaluated(text, data)).toThrow(expect.objectContaining({ code, field }));
    },
  );
});
