/** Decimals of up to twelve places, added up exactly. */
const places = 12;

export function addDecimals(one: string, other: string): string {
  return textOf(scaled(one) + scaled(other));
}

export function negated(value: string): string {
  return textOf(-scaled(value));
}

function scaled(text: string): bigint {
  const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
  const digits = BigInt(whole + fraction.slice(0, places).padEnd(places, "0"));
  return text.startsWith("-") ? -digits : digits;
}

function textOf(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  const text = `${digits.slice(0, -places)}${fraction === "" ? "" : `.${fraction}`}`;
  return value < 0n ? `-${text}` : text;
}
