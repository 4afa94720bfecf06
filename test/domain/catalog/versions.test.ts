import { describe, expect, test } from "vitest";
import {
  diffCatalog,
  type PlanVersion,
  parseCatalog,
  planFingerprint,
} from "../../../src/domain/catalog/index.ts";
import { exampleCatalog, exampleWith } from "./example.ts";

const catalog = parseCatalog(exampleCatalog());
const [hobby, pro] = catalog.plans.map((plan): PlanVersion => ({ ...plan, version: 1 }));
if (!hobby || !pro) throw new Error("the example has two plans");

describe("the fingerprint of a plan", () => {
  test("does not depend on its version, on the order of fields, or on how a decimal is written", () => {
    const rewritten = parseCatalog(
      exampleWith("plans[1].prices[3].model", { unitPriceMinor: "0.001500", type: "per_unit" }),
    );
    expect(rewritten.plans[1] && planFingerprint(rewritten.plans[1])).toBe(planFingerprint(pro));
    expect(planFingerprint({ ...pro, version: 7 } as PlanVersion)).toBe(planFingerprint(pro));
  });

  test.each([
    { path: "plans[1].name", value: "Professional" },
    { path: "plans[1].currency", value: "eur" },
    { path: "plans[1].interval.unit", value: "year" },
    { path: "plans[1].graceSeconds", value: 7200 },
    { path: "plans[1].dunning", value: { finalAction: "pause" } },
    { path: "plans[1].prices[0].amountMinor", value: "2001" },
    { path: "plans[1].prices[2].model.tiers[0].upTo", value: "1000001" },
    { path: "plans[1].prices", value: [] },
  ])("changes with $path", ({ path, value }) => {
    const changed = parseCatalog(exampleWith(path, value)).plans[1];
    expect(changed && planFingerprint(changed)).not.toBe(planFingerprint(pro));
  });
});

describe("publishing a catalog", () => {
  test("a first time, every plan is new", () => {
    expect(diffCatalog([], catalog)).toEqual([
      { planKey: "hobby", change: "new", version: 1 },
      { planKey: "pro", change: "new", version: 1 },
    ]);
  });

  test("a second time, nothing changes", () => {
    expect(diffCatalog([hobby, pro], catalog)).toEqual([
      { planKey: "hobby", change: "unchanged", version: 1 },
      { planKey: "pro", change: "unchanged", version: 1 },
    ]);
  });

  test("with another price, after the latest of its versions", () => {
    const next = parseCatalog(exampleWith("plans[1].prices[0].amountMinor", "2500"));
    expect(diffCatalog([{ ...pro, version: 2 }, pro, hobby], next)).toEqual([
      { planKey: "hobby", change: "unchanged", version: 1 },
      { planKey: "pro", change: "changed", version: 3 },
    ]);
  });

  test("going back to what an older version said makes a new version, for versions only go forward", () => {
    const dearer = parseCatalog(exampleWith("plans[1].prices[0].amountMinor", "2500")).plans[1];
    const versions = dearer ? [pro, { ...dearer, version: 2 }] : [];
    expect(diffCatalog(versions, catalog)).toContainEqual({ planKey: "pro", change: "changed", version: 3 });
  });

  test("a plan that is left out is left alone", () => {
    expect(diffCatalog([hobby, pro], { ...catalog, plans: [hobby] })).toEqual([
      { planKey: "hobby", change: "unchanged", version: 1 },
    ]);
  });
});
