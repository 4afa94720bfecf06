import { z } from "zod";
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
