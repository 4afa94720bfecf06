import {
  type AllocationOptions,
  allocate,
  type Currency,
  type Decimal,
  decimal,
  exactMajorOf,
  exactMinorOf,
  type MinorUnit,
  type MinorUnitConvention,
  type Money,
  minorUnitOf,
  type RoundingMode,
  roundToMinorUnit,
} from "../money/index.ts";

export interface MoneyQuestion {
  readonly currency: Currency;
  readonly minorUnits: MinorUnitConvention;
  readonly rounding: RoundingMode;
  /** In major units (dollars) or in minor ones (cents), exact. */
  readonly amount: { readonly in: "major" | "minor"; readonly exact: Decimal };
  readonly allocation: (AllocationOptions & { readonly weights: readonly bigint[] }) | null;
}

export interface MoneyAnswer {
  readonly minorUnit: MinorUnit;
  readonly exactMinor: Decimal;
  readonly amount: Money;
  /** The rounded amount in major units. */
  readonly major: Decimal;
  /** What rounding has added, or taken when negative. */
  readonly roundingMinor: Decimal;
  /** Empty when nothing is allocated. */
  readonly parts: readonly Money[];
}

/** What an exact amount is in whole minor units, and how it is divided. */
export function calculateMoney({
  currency,
  minorUnits,
  rounding,
  amount: given,
  allocation,
}: MoneyQuestion): MoneyAnswer {
  const minorUnit = minorUnitOf(currency, minorUnits);
  const exactMinor = given.in === "minor" ? given.exact : exactMinorOf(given.exact, minorUnit);
  const amount = roundToMinorUnit(exactMinor, currency, minorUnit, rounding);
  const rounded = decimal(amount.amountMinor);
  return {
    minorUnit,
    exactMinor,
    amount,
    major: exactMajorOf(rounded, minorUnit),
    roundingMinor: rounded.minus(exactMinor),
    parts: allocation === null ? [] : allocate(amount, allocation.weights, allocation),
  };
}
