import { expect, test } from "vitest";
import { preferredType } from "../../src/api/preferred-type.ts";

test.each([
  { accept: undefined, type: "application/json", why: "no wish" },
  { accept: "*/*", type: "application/json", why: "anything" },
  { accept: "text/csv", type: "text/csv", why: "only this" },
  { accept: "text/csv; header=present", type: "text/csv", why: "a parameter changes nothing" },
  { accept: "TEXT/CSV", type: "text/csv", why: "names have no case" },
  { accept: "text/*", type: "text/csv", why: "any text" },
  { accept: "text/csv, */*;q=0.1", type: "text/csv", why: "this, or else anything" },
  { accept: "text/csv;q=0.5, application/json", type: "application/json", why: "liked less" },
  { accept: "application/json;q=0, */*", type: "text/csv", why: "anything but this" },
  { accept: "text/csv, application/json", type: "application/json", why: "both alike" },
  { accept: "image/png", type: "application/json", why: "neither" },
  { accept: "text/csv;q=lots", type: "application/json", why: "a weight that is none" },
  { accept: ",;", type: "application/json", why: "nonsense" },
])("$accept is $type: $why", ({ accept, type }) => {
  expect(preferredType(accept, ["application/json", "text/csv"])).toBe(type);
});
