import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { camelCase, renameFields } from "../../../src/api/field-names.ts";
import { type PlanDefinition, parseCatalog, parseContract } from "../../../src/domain/catalog/index.ts";
import { thresholdsReached } from "../../../src/domain/invoicing/index.ts";
import { decimal, Fraction, sumDecimals } from "../../../src/domain/money/index.ts";
import { adjustCharges, resolvePrices } from "../../../src/domain/pricing/index.ts";
import { pro } from "../invoicing/plans.ts";
import { BilledInParts } from "../invoicing/thresholds.ts";
import { charge, usd } from "./adjustments.ts";

/** Every example of docs/contracts.md, run. */

const text = readFileSync(new URL("../../../docs/contracts.md", import.meta.url), "utf8");

const all = [...text.matchAll(/^```json\n(.*?)^```\n\n(\|.*?)(?=^$)/gms)].map(
  ([, json = "", table = ""]) => ({
    said: Object(renameFields(JSON.parse(json), camelCase)) as Record<string, unknown>,
    rows: table
      .trim()
      .split("\n")
      .slice(2)
      .map((row) =>
        row
          .slice(1, -1)
          .split("|")
          .map((cell) => cell.trim()),
      ),
  }),
);

/** Those of thresholds have adjustments too, sometimes. */
const examples = all.filter(({ said }) => !("thresholds" in said));

function planWith(said: object): PlanDefinition {
  const fee = (key: string, timing: string, amountMinor: string) => ({
    key,
    name: key,
    product: key,
    type: "flat",
    timing,
    amountMinor,
  });
  const usage = {
    key: "usage",
    name: "usage",
    product: "usage",
    type: "usage",
    meter: "units",
    model: { type: "per_unit", unitPriceMinor: "1" },
  };
  const { plans } = parseCatalog({
    meters: [{ key: "units", eventType: "used", aggregation: "sum", property: "units" }],
    plans: [
      {
        key: "pro",
        name: "Pro",
        currency: "usd",
        interval: { unit: "month", count: 1 },
        prices: [fee("base", "in_advance", "2000"), fee("support", "in_arrears", "500"), usage],
        ...said,
      },
    ],
  });
  const [plan] = plans;
  if (plan === undefined) throw new Error("an example has a plan");
  return plan;
}

describe("adjustments", () => {
  const rows = examples.flatMap(({ said, rows: each }) =>
    "adjustments" in said
      ? each.map(([charges = "", days = "", adjustments = "", total = ""]) => ({
          said,
          charges,
          days,
          adjustments,
          total,
        }))
      : [],
  );
  test("are there", () => expect(rows.length).toBeGreaterThan(15));

  test.each(rows)("$charges: $adjustments", ({ said, charges, days, adjustments, total }) => {
    const before = charges === "nothing" ? [] : charges.split(", ").map(chargeOf);
    const [part = "1", whole = "1"] = days.split("/");
    const time = new Fraction(BigInt(part), BigInt(whole));
    const context = { currency: usd, periodIndex: 0, stage: "period", inForce: time, charged: time } as const;
    const parts = adjustCharges(before, planWith(said).adjustments ?? [], context);
    const shown = parts.map(({ kind, charge: { key }, amount }) =>
      kind === "true_up" ? `${kind} ${amount.amountMinor}` : `${kind} ${amount.amountMinor} on ${key}`,
    );
    expect(shown.join(", ")).toBe(adjustments);
    const sum = sumDecimals([...before, ...parts].map(({ exactMinor }) => exactMinor));
    expect(sum.text).toBe(decimal(total).text);
  });
});

/** "usage 80", or "base 30 in advance". */
function chargeOf(cell: string) {
  const [key = "", minor = "", ...inAdvance] = cell.split(" ");
  return charge(key, minor, inAdvance.length === 0 ? undefined : {});
}

describe("prices by phase and contract", () => {
  const rows = examples.flatMap(({ said, rows: each }) =>
    "adjustments" in said
      ? []
      : each.map(([period = "", base = "", usage = ""]) => ({ said, period, base, usage })),
  );
  test("are there", () => expect(rows.length).toBeGreaterThan(5));

  test.each(rows)("period $period: base $base, usage $usage", ({ said, period, base, usage }) => {
    const { overrides = [], ...ofPlan } = said;
    const contract = parseContract({ overrides });
    const prices = resolvePrices(planWith(ofPlan), Number(period) - 1, contract);
    const shown = prices.flatMap((price) => {
      if (price.type === "flat") return price.key === "base" ? [price.amountMinor] : [];
      return price.type === "usage" && price.model.type === "per_unit" ? [price.model.unitPriceMinor] : [];
    });
    expect(shown).toEqual([base, usage]);
  });
});

describe("thresholds", () => {
  const documented = all.filter(({ said }) => "thresholds" in said);
  test("are there", () => expect(documented.length).toBe(3));

  test.each(documented)("$said: $rows", ({ said, rows }) => {
    const { adjustments = [], thresholds } = planWith(said);
    if (thresholds === undefined) throw new Error("an example has thresholds");
    const cents = { included: "0", model: { type: "per_unit", unitPriceMinor: "1" } } as const;
    const prices = pro.prices.flatMap((price) => (price.type === "usage" ? [{ ...price, ...cents }] : []));
    const period = new BilledInParts({ ...pro, prices, adjustments, thresholds });
    let reached = 0n;
    for (const [usage, when, invoice = ""] of rows) {
      const reading = { deep: Number(usage) };
      const before = reached;
      reached = thresholdsReached(thresholds, period.charged(reading));
      if (when === "at its end") period.close(reading);
      else if (reached > before) period.bill(reading);
      else {
        expect(invoice).toBe("");
        continue;
      }
      expect(`${usage}: ${period.invoices.at(-1)?.totals.subtotal.amountMinor}`).toBe(`${usage}: ${invoice}`);
    }
  });
});
