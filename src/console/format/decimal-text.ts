/** A number written out as text, which `Intl` reads exactly. */
export type DecimalText = `${number}`;

/** @throws TypeError for anything but a plain decimal such as "-12.5" */
export function parseDecimalText(text: string): DecimalText {
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new TypeError(`${JSON.stringify(text)} is not a decimal`);
  return text as DecimalText;
}

/** The exact sum of decimals: quantities of several rows, for a total on the screen. */
export function sumOfDecimals(texts: readonly string[]): DecimalText {
  const scale = Math.max(0, ...texts.map((text) => fractionOf(text).length));
  const total = texts.reduce((sum, text) => sum + scaled(parseDecimalText(text), scale), 0n);
  const digits = (total < 0n ? -total : total).toString().padStart(scale + 1, "0");
  const point = digits.length - scale;
  const fraction = digits.slice(point).replace(/0+$/, "");
  return `${total < 0n ? "-" : ""}${digits.slice(0, point)}${fraction === "" ? "" : `.${fraction}`}` as DecimalText;
}

const fractionOf = (text: string): string => text.split(".")[1] ?? "";

const scaled = (text: DecimalText, scale: number): bigint => {
  const fraction = fractionOf(text);
  return BigInt(text.replace(".", "")) * 10n ** BigInt(scale - fraction.length);
};
