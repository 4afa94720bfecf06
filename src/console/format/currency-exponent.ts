// ISO 4217: currencies whose minor unit has another number of decimals than two. Not taken from `Intl`, which follows
// the habits of price tags and shows some currencies without the decimals they are booked in.
const zeroDecimals = new Set("bif clp djf gnf isk jpy kmf krw pyg rwf ugx vnd vuv xaf xof xpf".split(" "));
const threeDecimals = new Set("bhd iqd jod kwd lyd omr tnd".split(" "));

/** How many decimals the minor unit has: 2 for usd (cents), 0 for jpy, 3 for kwd. */
export function currencyExponent(currency: string): number {
  const code = currency.toLowerCase();
  if (zeroDecimals.has(code)) return 0;
  return threeDecimals.has(code) ? 3 : 2;
}
