import { type Currency, currencyExponent, type Money, money } from "../money/index.ts";

/** Smallest amounts Stripe charges, in minor units, where they differ from half a unit (source: Stripe's documentation). */
const chargeMinimums: Readonly<Record<string, bigint>> = {
  aed: 200n,
  bgn: 100n,
  czk: 1500n,
  dkk: 250n,
  gbp: 30n,
  hkd: 400n,
  huf: 17_500n,
  jpy: 50n,
  mxn: 1000n,
  myr: 200n,
  nok: 300n,
  pln: 200n,
  ron: 200n,
  sek: 300n,
  thb: 1000n,
};

/** Anything below this cannot be charged; it is carried to the next invoice instead. */
export function chargeMinimum(of: Currency): Money {
  return money(chargeMinimums[of] ?? 5n * 10n ** BigInt(Math.max(0, currencyExponent(of) - 1)), of);
}
