import { describe, expect, test } from "vitest";
import { type Condition, compileFilter } from "../../../src/domain/metering/filter.ts";
import type { JsonValue } from "../../../src/domain/metering/index.ts";

const passes = (data: Record<string, JsonValue>, ...conditions: Condition[]) =>
  compileFilter(conditions)(data);

describe("a condition", () => {
  type Row = { condition: Condition; data: Record<string, JsonValue>; counts: boolean; why?: string };
  const plan = (condition: Omit<Condition, "member">) => ({ member: "plan", ...condition });
  test.each([
    { condition: plan({ in: ["pro", "team"] }), data: { plan: "team" }, counts: true },
    { condition: plan({ in: ["pro", "team"] }), data: { plan: "hobby" }, counts: false },
    { condition: plan({ in: ["pro"] }), data: {}, counts: false, why: "nothing is none of them" },
    { condition: plan({ in: [5] }), data: { plan: "5" }, counts: false, why: "text is not a number" },
    { condition: plan({ in: [5] }), data: { plan: 5 }, counts: true },
    { condition: plan({ in: [0] }), data: { plan: -0 }, counts: true },
    { condition: plan({ in: [true] }), data: { plan: true }, counts: true },
    { condition: plan({ in: ["pro"] }), data: { plan: ["pro"] }, counts: false, why: "a list is no value" },
    { condition: plan({ notIn: ["test"] }), data: { plan: "pro" }, counts: true },
    { condition: plan({ notIn: ["test"] }), data: { plan: "test" }, counts: false },
    { condition: plan({ notIn: ["test"] }), data: {}, counts: true, why: "nothing is not test" },
    { condition: plan({ notIn: ["test"] }), data: { plan: null }, counts: true, why: "null is nothing" },
    { condition: plan({ exists: true }), data: { plan: "" }, counts: true },
    { condition: plan({ exists: true }), data: { plan: null }, counts: false },
    { condition: plan({ exists: false }), data: {}, counts: true },
    { condition: plan({ exists: false }), data: { plan: 0 }, counts: false },
    { condition: plan({ gt: "5" }), data: { plan: 5 }, counts: false },
    { condition: plan({ gte: "5" }), data: { plan: 5 }, counts: true },
    { condition: plan({ lt: "0.3" }), data: { plan: 0.1 }, counts: true },
    { condition: plan({ lte: "9" }), data: { plan: "10" }, counts: false, why: "numbers, not text" },
    { condition: plan({ gte: "9007199254740993" }), data: { plan: "9007199254740992" }, counts: false },
    { condition: plan({ gt: "-1", lt: "1" }), data: { plan: 0 }, counts: true, why: "both hold" },
    { condition: plan({ gt: "-1", lt: "1" }), data: { plan: 1 }, counts: false, why: "one does not" },
    { condition: plan({ gt: "0" }), data: {}, counts: false, why: "nothing is within no bounds" },
    { condition: plan({ in: ["x"] }), data: { constructor: "x" }, counts: false },
    { condition: { member: "usage.cached", exists: true }, data: { usage: { cached: 1 } }, counts: true },
    { condition: { member: "usage.cached", exists: true }, data: { usage: "cached" }, counts: false },
    { condition: { member: "usage.cached", exists: true }, data: { "usage.cached": 1 }, counts: false },
    { condition: { member: "usage.length", exists: true }, data: { usage: [1] }, counts: false },
  ] as Row[])("$condition of $data: $counts", ({ condition, data, counts }) => {
    expect(passes(data, condition)).toBe(counts);
  });
});

test("all conditions must hold", () => {
  const eu: Condition = { member: "region", in: ["eu"] };
  const large: Condition = { member: "size", gte: "100" };
  expect(passes({ region: "eu", size: 100 }, eu, large)).toBe(true);
  expect(passes({ region: "us", size: 100 }, eu, large)).toBe(false);
  expect(passes({ region: "eu", size: 99 }, eu, large)).toBe(false);
});

test("a bound of what is no number refuses the event: nobody can say whether it counts", () => {
  expect(() => passes({ size: "large" }, { member: "size", gt: "1" })).toThrow(
    expect.objectContaining({ code: "usage_quantity_invalid", field: "data.size" }),
  );
});
