import { describe, expect, test } from "vitest";
import { CatalogInvalidError, parseCatalog } from "../../../src/domain/catalog/index.ts";

/** A meter as its author writes it, of eight kinds of parts; undefined leaves one out. */
const meterWith = (parts: object) => ({
  meters: [{ key: "tokens", eventType: "model.request", aggregation: "sum", ...parts }],
  plans: [],
});

const long = { name: "long", upTo: null };
const banded = (bands: object[], more: object = {}) => ({
  property: "a",
  dimensions: ["context"],
  bands: [{ dimension: "context", of: "b", bands, ...more }],
});

const bandIssues = [
  { parts: banded([long]), issue: "bands[0].bands: write at least two bands" },
  {
    parts: banded([{ name: "short", upTo: "5" }, long], { dimension: "size" }),
    issue: 'bands[0].dimension: meter "tokens" has no dimension "size": declare it under dimensions',
  },
  {
    parts: banded([{ name: "short", upTo: "5" }, { name: "mid", upTo: "5" }, long]),
    issue: "bands[0].bands[1].upTo: must be more than 5, where the band before it ends",
  },
  {
    parts: banded([{ name: "long", upTo: "5" }, long]),
    issue: 'bands[0].bands[1].name: "long" is used twice: choose another name',
  },
  {
    parts: banded([{ name: "short", upTo: "5" }, long], { of: "b +" }),
    issue: 'bands[0].of: at character 4: expected a number, a member of data, a function or "(", not the end',
  },
  {
    parts: { property: "a", aggregation: "max", negative: "counted" },
    issue: "negative: remove it: only a sum counts quantities below zero",
  },
];

function issuesOf(parts: object): string[] {
  try {
    parseCatalog(meterWith(parts));
  } catch (error) {
    if (!(error instanceof CatalogInvalidError)) throw error;
    return error.issues.map(({ path, message }) => `${path.replace("meters[0].", "")}: ${message}`);
  }
  return [];
}

describe("a meter that can be measured with", () => {
  const full = {
    value: "usage.input + coalesce(usage.cached, 0) / 10",
    filter: [
      { member: "model", notIn: ["test"] },
      { member: "ms", gte: "0010.50", lt: "20" },
    ],
    dimensions: ["model"],
    unit: { name: "kilotoken", factor: "0.0010", decimals: 3, rounding: "up" },
  };

  test("has its numbers in canonical text, and is the same when it is read again", () => {
    const parsed = parseCatalog(meterWith(full));
    expect(parsed.meters[0]).toEqual({
      key: "tokens",
      eventType: "model.request",
      aggregation: "sum",
      ...full,
      filter: [
        { member: "model", notIn: ["test"] },
        { member: "ms", gte: "10.5", lt: "20" },
      ],
      unit: { name: "kilotoken", factor: "1/1000", decimals: 3, rounding: "up" },
    });
    expect(parseCatalog(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
  });

  test.each([
    { aggregation: "count" },
    { aggregation: "count", filter: [{ member: "a", exists: false }] },
    { aggregation: "unique_count", property: "user.id" },
    { aggregation: "time_weighted_sum", property: "seats" },
    { aggregation: "average", value: "ms / 1000" },
    { aggregation: "max", property: "a.b.c.d.e.f.g.h" },
  ])("$aggregation may be $property or $value", (parts) => {
    expect(issuesOf(parts)).toEqual([]);
  });
});

describe("a meter that cannot", () => {
  test.each([
    { parts: {}, issue: "property: name the member of data to take the sum of" },
    {
      parts: { property: "a", value: "b" },
      issue: "value: remove it or the property: a meter measures one of them",
    },
    {
      parts: { aggregation: "count", value: "a" },
      issue: "value: remove it: a meter that counts events reads no property",
    },
    {
      parts: { aggregation: "unique_count" },
      issue: "property: name the member of data whose values are counted",
    },
    {
      parts: { aggregation: "unique_count", property: "a", value: "b" },
      issue: "value: remove it: only the values of a property are counted",
    },
    {
      parts: { value: "a + * b" },
      issue: 'value: at character 5: expected a number, a member of data, a function or "(", not "*"',
    },
    {
      parts: { property: "a..b" },
      issue: "property: write a name such as input_tokens, or a path such as usage.input_tokens",
    },
    { parts: { property: "a", filter: [] }, issue: "filter: write at least one condition, or no filter" },
    {
      parts: { property: "a", filter: [{ member: "m" }] },
      issue: "filter[0]: say what must hold of m, for example that it exists",
    },
    {
      parts: { property: "a", filter: [{ member: "m", in: [] }] },
      issue: "filter[0].in: write at least one value",
    },
    {
      parts: { property: "a", filter: [{ member: "m", in: [1.5] }] },
      issue: "filter[0].in[0]: write text, true, false or a whole number",
    },
    { parts: { property: "a", filter: [{ member: "m", gt: 5 }] }, issue: "filter[0].gt: write text" },
    {
      parts: { property: "a", filter: [{ member: "m", gt: "1e3" }] },
      issue: 'filter[0].gt: write a number as text, such as "1000"',
    },
    {
      parts: { property: "a", filter: [{ member: "m", like: "x" }] },
      issue: "filter[0].like: is not a known field: correct or remove it",
    },
    {
      parts: { property: "a", unit: { name: "GiB", factor: "1/0" } },
      issue: 'unit.factor: write a factor above zero, such as "3600", "0.001" or "1/1073741824"',
    },
    { parts: { property: "a", unit: { factor: "2" } }, issue: "unit.name: is missing: write text" },
    {
      parts: { property: "a", unit: { name: "h", decimals: 13 } },
      issue: "unit.decimals: must be at most 12",
    },
    ...bandIssues,
    {
      parts: { property: "a", unit: { name: "h", rounding: "up" } },
      issue: "unit.rounding: say to how many decimals, or remove it",
    },
  ])("$issue", ({ parts, issue }) => {
    expect(issuesOf(parts)).toEqual([issue]);
  });
});
