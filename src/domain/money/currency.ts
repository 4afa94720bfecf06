import { BillingError } from "../errors.ts";

declare const brand: unique symbol;

/** A lower-case ISO 4217 code, such as "usd". */
export type Currency = string & { readonly [brand]: "Currency" };

export class CurrencyUnknownError extends BillingError {
  readonly code = "currency_unknown";
}

// ISO 4217, active codes, by the number of decimals of the minor unit.
const codesByExponent: Record<number, string> = {
  0: "bif clp djf gnf isk jpy kmf krw pyg rwf ugx vnd vuv xaf xof xpf",
  2: `aed afn all amd aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd btn bwp byn bzd cad cdf chf
      cny cop crc cup cve czk dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl htg
      huf idr ils inr irr jmd kes kgs khr kpw kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mru
      mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr
      sdg sek sgd shp sle sos srd ssp stn svc syp szl thb tjs tmt top try ttd twd tzs uah usd uyu uzs ves
      wst xcd xcg yer zar zmw zwg`,
  3: "bhd iqd jod kwd lyd omr tnd",
};

const exponents: ReadonlyMap<string, number> = new Map(
  Object.entries(codesByExponent).flatMap(([exponent, codes]) =>
    codes.split(/\s+/).map((code): [string, number] => [code, Number(exponent)]),
  ),
);

/**
 * Parses a currency code.
 * @throws CurrencyUnknownError for anything but a lower-case active ISO 4217 code
 */
export function currency(code: string, field?: string): Currency {
  if (!isCurrency(code)) {
    throw new CurrencyUnknownError(
      `${JSON.stringify(code)} is not a currency: write a lower-case ISO 4217 code such as "usd"`,
      field,
    );
  }
  return code;
}

export function isCurrency(code: unknown): code is Currency {
  return typeof code === "string" && exponents.has(code);
}

/** How many decimals the minor unit has: 2 for usd (cents), 0 for jpy, 3 for kwd. */
export function currencyExponent(of: Currency): number {
  const exponent = exponents.get(of);
  if (exponent === undefined) throw new CurrencyUnknownError(`${JSON.stringify(of)} is not a currency`);
  return exponent;
}
