import type { PriceAdjustment } from "../../../src/domain/catalog/index.ts";
import { currency, decimal, Fraction, money, roundToMinor } from "../../../src/domain/money/index.ts";
import type { AdjustmentContext, AdjustmentPart, Charge } from "../../../src/domain/pricing/index.ts";

export const usd = currency("usd");

export const context: AdjustmentContext = {
  currency: usd,
  periodIndex: 0,
  stage: "period",
  inForce: new Fraction(1n),
  charged: new Fraction(1n),
};

/** A charge for the price of its key; with `settled`, one made in advance. */
export function charge(key: string, minor: string, settled?: Readonly<Record<string, bigint>>): Charge {
  const exactMinor = decimal(minor);
  const plain = { key, prices: [key], exactMinor, amount: roundToMinor(exactMinor, usd) };
  if (settled === undefined) return plain;
  return {
    ...plain,
    settled: new Map(Object.entries(settled).map(([by, amount]) => [by, money(amount, "usd")])),
  };
}

export const minimum = (amountMinor: string) =>
  ({
    key: "minimum",
    name: "Minimum",
    prices: "all",
    type: "minimum",
    amountMinor,
    product: "platform",
    prorated: true,
  }) as const satisfies PriceAdjustment;

export const cap = (amountMinor: string) =>
  ({
    key: "maximum",
    name: "Cap",
    prices: "all",
    type: "maximum",
    amountMinor,
    prorated: true,
  }) as const satisfies PriceAdjustment;

export const commitment = (amountMinor: string, overageFactor: string) =>
  ({
    key: "commitment",
    name: "Commitment",
    prices: "all",
    type: "commitment",
    amountMinor,
    overageFactor,
    trueUp: true,
    product: "platform",
    prorated: true,
  }) as const satisfies PriceAdjustment;

export const percentOff = (percent: string) =>
  ({
    key: "discount",
    name: "Discount",
    prices: "all",
    type: "percent_discount",
    percent,
    periods: null,
  }) as const satisfies PriceAdjustment;

export const off = (amountMinor: string) =>
  ({
    key: "discount",
    name: "Discount",
    prices: "all",
    type: "amount_discount",
    amountMinor,
    periods: null,
  }) as const satisfies PriceAdjustment;

/** "kind charge exact", with "→ rounded" where that is another number. */
export function shown(parts: readonly AdjustmentPart[]): string[] {
  return parts.map(({ kind, charge: { key }, exactMinor, amount }) => {
    const rounded = `${amount.amountMinor}`;
    return `${kind} ${key} ${exactMinor.text}${rounded === exactMinor.text ? "" : `→${rounded}`}`;
  });
}
