import fc from "fast-check";
import { expect, test } from "vitest";
import { compileDimensions, dimensionsKey } from "../../../src/domain/metering/dimensions.ts";

test("the key of dimensions does not depend on the order they are written in", () => {
  expect(dimensionsKey({ model: "large", class: "input" })).toBe('{"class":"input","model":"large"}');
  expect(dimensionsKey({ class: "input", model: "large" })).toBe('{"class":"input","model":"large"}');
  expect(dimensionsKey({})).toBe("{}");
});

test("what an event lacks, or has as null, is the empty text; other members are not read", () => {
  const { read } = compileDimensions(["model", "user", "team"]);
  expect(read({ model: "large", user: null, region: "eu" })).toEqual({ model: "large", user: "", team: "" });
});

test("the key written without sorting is the key", () => {
  const anyName = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,8}$/);
  const anyText = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.constantFrom('"', "\\", "\n", "é"),
  );
  fc.assert(
    fc.property(fc.uniqueArray(anyName, { maxLength: 8 }), fc.dictionary(anyName, anyText), (names, data) => {
      const { read, keyOf } = compileDimensions(names);
      const dimensions = read(data);
      expect(Object.keys(dimensions).sort()).toEqual(names.toSorted());
      expect(keyOf(dimensions)).toBe(dimensionsKey(dimensions));
    }),
  );
});
