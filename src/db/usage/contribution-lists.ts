import { arrayLiteral } from "../array-literal.ts";
import type { DimensionNumbers } from "./known-numbers.ts";
import type { MeasuredContribution } from "./measurement.ts";

/** The contributions of several events: for each event a list as text, or null when there is no meter for it. */
export function contributionLists(
  ofEvents: readonly (readonly MeasuredContribution[] | null)[],
  numbers: DimensionNumbers,
) {
  const lists = (textOf: (contribution: MeasuredContribution) => string | null) =>
    arrayLiteral(
      ofEvents.map((contributions) =>
        contributions === null ? null : arrayLiteral(contributions.map(textOf)),
      ),
    );
  const haveValues = ofEvents.some((contributions) =>
    contributions?.some(({ value }) => value !== undefined),
  );
  return {
    meters: lists(({ meter }) => `${meter}`),
    dimensions: lists(({ dimensionsKey }) => `${numbers.get(dimensionsKey) ?? ""}`),
    quantities: lists(({ quantity }) => quantity.text),
    values: haveValues ? lists(({ value }) => value ?? null) : arrayLiteral(ofEvents.map(() => null)),
  };
}
