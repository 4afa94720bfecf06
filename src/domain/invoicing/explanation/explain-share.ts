import { isoOf, type Period } from "../../calendar/index.ts";
import { type Decimal, decimal } from "../../money/index.ts";
import { periodText, quantityText } from "../document/figures.ts";
import type { InvoiceLine } from "../invoice-line.ts";
import { type ExplanationStep, step } from "./explanation-step.ts";

/** So many units of a whole, as a line's detail says it. */
interface Part {
  readonly unit: string;
  readonly units: Decimal;
  readonly ofUnits: Decimal;
}

/** The part of a whole period that a line for time is for. */
export function timeShareSteps(
  { detail, period }: Pick<InvoiceLine, "detail" | "period">,
  timeZone: string,
): ExplanationStep[] {
  const { fullPeriodStart: start, fullPeriodEnd: end } = detail;
  const part = partOf(detail);
  if (typeof start !== "number" || typeof end !== "number" || part === null) return [];
  const full = { start, end } as Period;
  const text = `For ${periodText(period, timeZone)}, of the whole from ${periodText(full, timeZone)}: ${partText(part)}.`;
  return [
    step("share", text, {
      from: isoOf(period.start),
      to: isoOf(period.end),
      whole_from: isoOf(full.start),
      whole_to: isoOf(full.end),
      ...partFigures(part),
    }),
  ];
}

/** What of a quantity was included, and where the stretch is a part of a period, its share of what the whole includes. */
export function includedStep(included: Decimal, { detail }: InvoiceLine): ExplanationStep {
  const share = typeof detail.includedShare === "object" ? detail.includedShare : null;
  const part = share === null ? null : partOf(share as Readonly<Record<string, unknown>>);
  const text = included.isZero()
    ? "None of it was included free of charge."
    : `${quantityText(included)} of it included, free of charge.`;
  if (share === null || part === null) return step("included", text, { quantity: included.text });
  const whole = decimal(String(Reflect.get(share, "whole")));
  return step(
    "included",
    `${text} A whole period includes ${quantityText(whole)}; this is for ${partText(part)}.`,
    {
      quantity: included.text,
      whole_quantity: whole.text,
      ...partFigures(part),
    },
  );
}

function partOf({ unit, units, ofUnits }: Readonly<Record<string, unknown>>): Part | null {
  if (typeof unit !== "string" || typeof units !== "string" || typeof ofUnits !== "string") return null;
  return { unit, units: inWords(unit, units), ofUnits: inWords(unit, ofUnits) };
}

/** Elapsed time is kept in milliseconds, and said in seconds. */
function inWords(unit: string, count: string): Decimal {
  return unit === "second" ? decimal(count).times(decimal("0.001")) : decimal(count);
}

function partText({ unit, units, ofUnits }: Part): string {
  const counted = `${quantityText(units)} of ${quantityText(ofUnits)}`;
  switch (unit) {
    case "second":
      return `${counted} seconds`;
    case "day":
      return `${counted} days`;
    case "none":
      return units.isZero()
        ? "a part, and parts of periods are not counted"
        : "the whole, which is not divided";
    default:
      return `${counted} days, where a month has thirty`;
  }
}

const partFigures = ({ unit, units, ofUnits }: Part) => ({
  unit,
  part_units: units.text,
  whole_units: ofUnits.text,
});
