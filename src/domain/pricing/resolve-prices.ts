import type {
  PlanDefinition,
  PlanPhase,
  Price,
  PriceOverride,
  PriceOverwrite,
  RecurringPrice,
  SeatPrice,
  UsagePrice,
} from "../catalog/index.ts";
import { decimal } from "../money/index.ts";
import { scaledPrice } from "./scaled-price.ts";

/**
 * What a plan's prices are in a period of a subscription: as the plan says, with what its phase and the contract with the
 * customer put over it. Of all overrides of a price an overwrite wins over multipliers; of several of a kind the one with the
 * lowest priority number, then the lowest factor, then the contract's, then the first. Only one is ever in effect.
 * @param periodIndex of the subscription: 0 is its first period
 */
export function resolvePrices(
  plan: Pick<PlanDefinition, "prices" | "phases">,
  periodIndex: number,
  contract: readonly PriceOverride[] = [],
): readonly Price[] {
  const overrides = [...contract, ...(phaseAt(plan.phases ?? [], periodIndex)?.overrides ?? [])];
  if (overrides.length === 0) return plan.prices;
  return plan.prices.map((price) => overriddenPrice(price, overrides));
}

/** The phase that a period is in; undefined after the last of them has ended, when the plan's own prices hold. */
export function phaseAt(phases: readonly PlanPhase[], periodIndex: number): PlanPhase | undefined {
  let begins = 0;
  for (const phase of phases) {
    if (phase.periods === null || periodIndex < begins + phase.periods) return phase;
    begins += phase.periods;
  }
  return undefined;
}

/** Whether an override is for a price; an overwrite is for those only that have a field which it says. */
export function isFor({ prices, effect }: PriceOverride, price: Price): boolean {
  const isNamed = prices === "all" || prices.includes(price.key);
  return isNamed && (effect.type === "multiplier" || overwritten(price, effect.price) !== null);
}

function overriddenPrice(price: Price, overrides: readonly PriceOverride[]): Price {
  const [first] = overrides.filter((override) => isFor(override, price)).toSorted(comparePrecedence);
  if (first === undefined) return price;
  const { effect } = first;
  if (effect.type === "multiplier") return scaledPrice(price, decimal(effect.factor));
  return overwritten(price, effect.price) ?? price;
}

// Sorting is stable: what is equal stays in its order.
function comparePrecedence(one: PriceOverride, other: PriceOverride): number {
  return (
    Number(one.effect.type === "multiplier") - Number(other.effect.type === "multiplier") ||
    one.priority - other.priority ||
    factorOf(one).compare(factorOf(other))
  );
}

const factorOf = ({ effect }: PriceOverride) => decimal(effect.type === "multiplier" ? effect.factor : "0");

/** Null when the overwrite says nothing of this type of price. */
function overwritten(price: Price, said: PriceOverwrite): Price | null {
  switch (price.type) {
    case "flat":
      return overwrittenFee(price, said);
    case "seat":
      return overwrittenSeats(price, said);
    case "usage":
      return overwrittenUsage(price, said);
  }
}

function overwrittenFee(price: RecurringPrice, { amountMinor }: PriceOverwrite): Price | null {
  return amountMinor === undefined ? null : { ...price, amountMinor };
}

/** An amount for each seat takes the place of a model as well. */
function overwrittenSeats(
  { model, ...price }: SeatPrice,
  { unitAmountMinor, includedSeats }: PriceOverwrite,
): Price | null {
  if (unitAmountMinor === undefined && includedSeats === undefined) return null;
  return {
    ...price,
    ...(model === undefined || unitAmountMinor !== undefined ? {} : { model }),
    ...(unitAmountMinor === undefined ? {} : { unitAmountMinor }),
    ...(includedSeats === undefined ? {} : { includedSeats }),
  };
}

function overwrittenUsage(price: UsagePrice, { model, included }: PriceOverwrite): Price | null {
  if (model === undefined && included === undefined) return null;
  return {
    ...price,
    ...(model === undefined ? {} : { model }),
    ...(included === undefined ? {} : { included }),
  };
}
