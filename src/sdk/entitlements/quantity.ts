const decimals = 12;
const one = 10n ** BigInt(decimals);

/** A decimal text as a whole number of 10⁻¹². What is finer is rounded up: more used, or more asked, never less. */
export function scaled(text: string): bigint {
  if (text === "1") return one;
  const [, sign = "", whole = "0", fraction = ""] = decimalText.exec(text) ?? [];
  const kept = BigInt(whole) * one + BigInt(fraction.slice(0, decimals).padEnd(decimals, "0"));
  if (sign === "-") return -kept;
  return /[1-9]/.test(fraction.slice(decimals)) ? kept + 1n : kept;
}

const decimalText = /^(-?)(\d+)(?:\.(\d+))?$/;

/** A quantity that may be asked for. */
export const isQuantity = (text: string): boolean => /^\d{1,18}(\.\d{1,12})?$/.test(text);

/** The same as text again. */
export function unscaled(value: bigint): string {
  const fraction = String(value % one)
    .padStart(decimals, "0")
    .replace(/0+$/, "");
  return fraction === "" ? String(value / one) : `${value / one}.${fraction}`;
}
