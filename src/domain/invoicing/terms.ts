import type { Instant, Period } from "../calendar/index.ts";
import type { PlanVersion, Price, PriceOverride } from "../catalog/index.ts";
import { invariant } from "../errors.ts";
import { resolvePrices } from "../pricing/index.ts";

/** One thing subscribed to, with the version of its plan that was agreed. */
export interface TermsItem {
  readonly plan: PlanVersion;
  readonly seats: number;
  /** What the contract with this customer says instead of the plan's prices. */
  readonly overrides?: readonly PriceOverride[];
}

/** What was agreed from an instant on, until the next terms: the plan first, then add-ons. */
export interface Terms {
  readonly effectiveAt: Instant;
  readonly items: readonly TermsItem[];
  /** Nothing is charged for time: in a pause, and in a trial. */
  readonly paused: boolean;
  /** What becomes of usage, which is metered in any case; billed when left out. */
  readonly usage?: UsageTreatment;
}

/** Billed as agreed; free, as in a trial; refused: there is no access, and what comes all the same is not charged. */
export type UsageTreatment = "billed" | "free" | "refused";

/** A stretch of a period in which the terms did not change. */
export interface TermsStretch extends Period {
  readonly terms: Terms;
}

/**
 * Terms with the prices that they have in a period of the subscription: its phase and the contract decide, stretch by
 * stretch. Price what was agreed, once; priced terms have nothing left to be decided.
 * @param periodIndex of the subscription: 0 is its first period
 */
export function pricedTerms(history: readonly Terms[], periodIndex: number): Terms[] {
  return history.map((terms) => ({
    ...terms,
    items: terms.items.map(({ plan, overrides, ...item }) => {
      const { phases: _decided, ...priced } = {
        ...plan,
        prices: resolvePrices(plan, periodIndex, overrides).map((price) => treated(price, terms)),
      };
      return { ...item, plan: priced };
    }),
  }));
}

/** Usage that is not charged is rated all the same, at nothing: it is on the invoice with its quantity. */
function treated(price: Price, { usage = "billed" }: Terms): Price {
  if (usage === "billed" || price.type !== "usage") return price;
  return { ...price, model: { type: "per_unit", unitPriceMinor: "0" }, included: "0" };
}

/** The terms in force at an instant. @param history ascending by `effectiveAt`, the first not after `at` */
export function termsAt(history: readonly Terms[], at: Instant): Terms {
  const terms = history.findLast(({ effectiveAt }) => effectiveAt <= at);
  invariant(terms, "there are terms for every instant of a subscription");
  return terms;
}

/** Cuts a period where the terms change; the stretches tile it. */
export function stretchesOf(history: readonly Terms[], period: Period): TermsStretch[] {
  if (period.start === period.end) return [];
  const cuts = history
    .map(({ effectiveAt }) => effectiveAt)
    .filter((at) => at > period.start && at < period.end);
  const starts = [period.start, ...cuts];
  return starts.map((start, index) => ({
    start,
    end: starts[index + 1] ?? period.end,
    terms: termsAt(history, start),
  }));
}

/** The meters that any of these items prices. */
export function metersOf(items: readonly TermsItem[]): string[] {
  const keys = items.flatMap(({ plan }) =>
    plan.prices.flatMap((price) => (price.type === "usage" ? [price.meter] : [])),
  );
  return [...new Set(keys)];
}
