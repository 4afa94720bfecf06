import { z } from "zod";
import { type Instant, instant, isoOf } from "../calendar/index.ts";
import { decimal } from "../money/index.ts";

/** What several parts of a catalog are written with. */

export const key = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_.-]{0,63}$/,
    "write 1 to 64 of a-z, 0-9, _, - and ., starting with a letter or digit",
  );

// Names of members of an event's data; a leading letter keeps out "__proto__".
export const memberName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, "write a name such as input_tokens");

// Control characters and half surrogate pairs are nothing that people or the database can read.
export function text(lengthMax: number, lengthMin = 1) {
  return z
    .string()
    .regex(
      new RegExp(`^[^\\p{Cc}\\p{Cs}]{${lengthMin},${lengthMax}}$`, "u"),
      `write ${lengthMin} to ${lengthMax} characters, none of them control characters`,
    );
}

// "1.50" and "1.5" are one price: a plan must not count as changed because it was written differently.
export function canonical(text: string): string {
  return decimal(text).text;
}

/** The most decimals of a minor unit that a price may have. */
const priceDecimalsMax = 12;

export const name = text(120);

// Usage without the dimension has the empty value, and may be priced too.
export const dimensionValues = z.record(memberName, text(200, 0));

export const wholeMinor = z
  .string()
  .regex(/^\d{1,18}$/, 'write whole minor units as text, zero or more, such as "1999"')
  .transform(canonical);

export const positiveMinor = wholeMinor.refine((amount) => amount !== "0", "must be more than zero");

export const priceMinor = z
  .string()
  .regex(
    new RegExp(`^\\d{1,18}(\\.\\d{1,${priceDecimalsMax}})?$`),
    `write minor units as text, zero or more, with at most ${priceDecimalsMax} decimals, such as "0.0003"`,
  )
  .transform(canonical);

export const quantity = z
  .string()
  .regex(/^\d{1,18}(\.\d{1,12})?$/, 'write a quantity as text, zero or more, such as "1000000"')
  .transform(canonical);

export const positiveQuantity = quantity.refine((size) => size !== "0", "must be more than zero");

const hundred = decimal("100");

const percentPlain = /^-?\d{1,5}(\.\d{1,12})?$/;

export const percent = z
  .string()
  .refine(
    (text) => percentPlain.test(text) && !decimal(text).isNegative() && !decimal(text).isGreaterThan(hundred),
    'write a percentage from 0 to 100 as text, such as "2.9"',
  )
  .transform(canonical);

export const markupPercent = z
  .string()
  .refine(
    (text) => percentPlain.test(text) && !decimal(text).plus(hundred).isNegative(),
    'write what is added to the cost in percent, as text, -100 or more, such as "20"',
  )
  .transform(canonical);

export const factor = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,12})?$/, 'write a factor as text, zero or more, such as "1.5"')
  .transform(canonical);

/** Whether a text is an instant, at its most exact a millisecond. */
function parsedInstant(text: string): Instant | null {
  try {
    return instant(text);
  } catch {
    return null;
  }
}

export const isoTime = z
  .string()
  .refine((text) => parsedInstant(text) !== null, 'write an ISO time such as "2026-01-01T00:00:00Z"')
  .transform((text) => isoOf(instant(text)));
