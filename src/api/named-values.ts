import { z } from "zod";
import { memberPath } from "../domain/metering/index.ts";

const namedMax = 5;

/**
 * A query parameter that names what has which value: `model:large`. It may come several times, and then all hold. What is before
 * the first colon is the name.
 */
export const namedValues = z
  .union([z.string(), z.array(z.string()).max(namedMax)])
  .transform((given, context) => {
    const pairs = [given].flat().map((text): [string, string] => {
      const colon = text.indexOf(":");
      return [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
    });
    const isNamed = ([name, value]: [string, string]) =>
      memberPath.test(name) && value.length <= 200 && value.isWellFormed() && !value.includes("\0");
    if (pairs.every(isNamed)) return Object.fromEntries(pairs);
    context.addIssue("must be a name and a value with a colon between, such as model:large");
    return z.NEVER;
  });
