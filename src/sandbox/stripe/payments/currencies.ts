import { badParameter } from "../http/refusal.ts";

/** Stripe's minimum charge by currency, in minor units. Source: docs.stripe.com/currencies#minimum-and-maximum-charge-amounts */
const minimumMinor: Readonly<Record<string, number>> = {
  usd: 50,
  aed: 200,
  aud: 50,
  bgn: 100,
  brl: 50,
  cad: 50,
  chf: 50,
  czk: 1500,
  dkk: 250,
  eur: 50,
  gbp: 30,
  hkd: 400,
  huf: 17500,
  inr: 50,
  jpy: 50,
  mxn: 1000,
  myr: 200,
  nok: 300,
  nzd: 50,
  pln: 200,
  ron: 200,
  sek: 300,
  sgd: 50,
  thb: 1000,
};

const zeroDecimal = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" ");
const threeDecimal = "bhd jod kwd omr tnd".split(" ");
const otherTwoDecimal =
  "ars bam bob cop crc dop egp gel gtq idr ils isk kes kzt lkr mad mop ngn pen php pkr qar rsd sar try twd uah ugx uyu zar".split(
    " ",
  );

const supported = new Set([
  ...Object.keys(minimumMinor),
  ...zeroDecimal,
  ...threeDecimal,
  ...otherTwoDecimal,
]);
const amountMaxMinor = 99_999_999;

/** Digits after the point: 0 for yen, 3 for dinar, else 2. */
export function currencyDecimals(currency: string): number {
  if (zeroDecimal.includes(currency)) return 0;
  return threeDecimal.includes(currency) ? 3 : 2;
}

/** The code in lower case. Throws a Stripe refusal for one that Stripe does not take. */
export function supportedCurrency(currency: string): string {
  const code = currency.toLowerCase();
  if (!supported.has(code)) throw badParameter(`Invalid currency: ${currency}`, "currency");
  return code;
}

/** The smallest amount that is ever charged; where Stripe lists none, what 0.50 looks like in that currency. */
export function minimumCharge(currency: string): number {
  return minimumMinor[currency] ?? (currencyDecimals(currency) === 3 ? 500 : 50);
}

/** Dinars are sent in tens of thousandths; krónur and shillings, which have no fraction, in hundredths all the same. */
function stepOf(currency: string): number {
  if (currencyDecimals(currency) === 3) return 10;
  return currency === "isk" || currency === "ugx" ? 100 : 1;
}

/** Throws a Stripe refusal unless a payment of this amount is possible: minimum, eight digits, and no digit that must be zero. */
export function assertChargeable(amount: number, currency: string): void {
  const minimum = minimumCharge(currency);
  if (amount < minimum) {
    const shown = `${(minimum / 10 ** currencyDecimals(currency)).toFixed(currencyDecimals(currency))} ${currency}`;
    throw badParameter(`Amount must be at least ${shown}`, "amount", "amount_too_small");
  }
  if (amount > amountMaxMinor) {
    throw badParameter("Amount must be no more than 8 digits", "amount", "amount_too_large");
  }
  const step = stepOf(currency);
  if (amount % step !== 0) {
    throw badParameter(
      `Amounts in ${currency} must be a multiple of ${step}`,
      "amount",
      "parameter_invalid_integer",
    );
  }
}

/** An amount for people to read: `12.50 usd`, `700 jpy`. */
export function shownAmount(amount: number, currency: string): string {
  const decimals = currencyDecimals(currency);
  return `${(amount / 10 ** decimals).toFixed(decimals)} ${currency.toUpperCase()}`;
}
