import { type Decimal, zero } from "../money/index.ts";
import type { BookedUsage, RatedUsage } from "./usage-charges.ts";

/** A price in a stretch of terms of which a run stored something else than what it comes to now. */
export interface RatingDifference {
  readonly stretchStart: number;
  readonly planKey: string;
  readonly priceKey: string;
  readonly booked: RatedFigures;
  readonly rated: RatedFigures;
}

export interface RatedFigures {
  readonly quantity: Decimal;
  readonly exactMinor: Decimal;
}

const nothing: RatedFigures = { quantity: zero, exactMinor: zero };

/** Compares what a period comes to with what was stored of it, price by price; what one of them lacks is nothing. */
export function ratingDifferences(
  rated: readonly RatedUsage[],
  booked: readonly BookedUsage[],
): RatingDifference[] {
  const keyOf = (start: number, planKey: string, priceKey: string) =>
    JSON.stringify([start, planKey, priceKey]);
  const now = new Map(
    rated.map(({ stretch, plan, price, rated: figures }) => [
      keyOf(stretch.start, plan.key, price.key),
      figures,
    ]),
  );
  const before = new Map(
    booked.map((row) => [keyOf(row.termsStart, row.planKey, row.priceKey), row as RatedFigures]),
  );
  return [...new Set([...now.keys(), ...before.keys()])].flatMap((key) => {
    const [stretchStart, planKey, priceKey] = JSON.parse(key) as [number, string, string];
    const { quantity, exactMinor } = now.get(key) ?? nothing;
    const was = before.get(key) ?? nothing;
    if (quantity.equals(was.quantity) && exactMinor.equals(was.exactMinor)) return [];
    const figures = { quantity: was.quantity, exactMinor: was.exactMinor };
    return [{ stretchStart, planKey, priceKey, booked: figures, rated: { quantity, exactMinor } }];
  });
}
