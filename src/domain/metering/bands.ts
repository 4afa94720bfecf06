import { decimal, Fraction } from "../money/index.ts";
import { evaluate } from "./expression/evaluate.ts";
import { parseExpression } from "./expression/parse-expression.ts";
import type { UsageEvent } from "./usage-event.ts";

/**
 * A dimension whose value is the name of the band that an event's number lies in, such as requests with a long context.
 * The whole event belongs to that band, whatever part of its number lies below.
 */
export type BandedDimension = {
  readonly dimension: string;
  /** A member of the event's data, or an expression over several. */
  readonly of: string;
  /** Ascending; the last has no end. */
  readonly bands: readonly Band[];
};

/** `upTo` is the last value of the band; null in the last one. */
export type Band = { readonly name: string; readonly upTo: string | null };

/**
 * Made once for a meter, used for every event.
 * @throws ExpressionInvalidError; from what it returns, a refusal of an event that lacks what is asked
 */
export function compileBands({ of, bands }: BandedDimension): (data: UsageEvent["data"]) => string {
  const expression = parseExpression(of);
  const bounded = bands.map(({ name, upTo }) => ({
    name,
    upTo: upTo === null ? null : Fraction.ofDecimal(decimal(upTo)),
  }));
  return (data) => {
    const value = evaluate(expression, data);
    const band = bounded.find(({ upTo }) => upTo === null || value.compare(upTo) <= 0);
    return band?.name ?? "";
  };
}
