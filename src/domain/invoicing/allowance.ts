import type { Period } from "../calendar/index.ts";
import type { PlanVersion, UsageModel, UsagePrice } from "../catalog/index.ts";
import { type Decimal, decimal, maxDecimal, zero } from "../money/index.ts";
import { shareOfQuantity } from "../proration/index.ts";
import type { RatedAmount, UsageMeasure } from "../rating/index.ts";
import { planMeasure, prorationOf } from "./time-charge.ts";
import type { PeriodFrame } from "./time-charges.ts";

/** What a stretch of a period has free of charge at a price. */
export interface Allowance {
  /** With so many free events as the stretch has, where it counts them. */
  readonly model: UsageModel;
  readonly included: Decimal;
  /** How it was shared; left out of a whole period, and where nothing is free. */
  readonly share?: AllowanceShare;
}

/** What the whole period includes, and how many of its units the stretch has; as it stands in a line's detail. */
export type AllowanceShare = {
  readonly whole: string;
  readonly unit: string;
  readonly units: string;
  readonly ofUnits: string;
};

/** What earlier stretches of a period used up of an allowance. */
interface UsedUp {
  readonly quantity: Decimal;
  readonly events: Decimal;
}

/** What a stretch has of an allowance of a whole period. */
type Share = (whole: Decimal, counts: keyof UsedUp) => Decimal;

/**
 * Shares what prices include in a period among its stretches, in the order of time, as the plan of each price prorates: as a
 * charge in advance is shared. Where a plan knows whole periods only, nothing is divided: the terms with which the period
 * begins have all of it, and what is left goes on for as long as the plan has that price.
 */
export class Allowances {
  readonly #frame: PeriodFrame;
  readonly #usedUp = new Map<string, UsedUp>();

  constructor(frame: PeriodFrame) {
    this.#frame = frame;
  }

  /** @param isFirst whether the period begins with the stretch */
  of(plan: PlanVersion, price: UsagePrice, stretch: Period, isFirst: boolean): Allowance {
    const { model } = price;
    const whole = wholeOf(price);
    if (this.#isWhole(stretch)) return { model, included: whole };
    const share = this.#shareFor(plan, price, stretch, isFirst);
    const included = share(whole, "quantity");
    const told = whole.isZero() ? {} : this.#told(plan, whole, stretch);
    if (model.type !== "percentage" || model.freeEvents === undefined) return { model, included, ...told };
    const freeEvents = Number(share(decimal(BigInt(model.freeEvents)), "events").text);
    return { model: { ...model, freeEvents }, included, ...told };
  }

  /** Says what a stretch used, so that those after it know what is left where nothing is divided. */
  use(
    plan: PlanVersion,
    price: UsagePrice,
    { includedQuantity }: RatedAmount,
    { events }: UsageMeasure,
  ): void {
    if (prorationOf(plan).unit !== "none") return;
    const key = keyOf(plan, price);
    const before = this.#usedUp.get(key) ?? { quantity: zero, events: zero };
    this.#usedUp.set(key, {
      quantity: before.quantity.plus(includedQuantity),
      events: before.events.plus(decimal(BigInt(events?.length ?? 0))),
    });
  }

  #shareFor(plan: PlanVersion, price: UsagePrice, stretch: Period, isFirst: boolean): Share {
    const { full, timeZone } = this.#frame;
    if (prorationOf(plan).unit !== "none") {
      const measure = planMeasure(plan, full, timeZone);
      return (whole) => shareOfQuantity(whole, measure, stretch);
    }
    if (isFirst) return (whole) => whole;
    const usedUp = this.#usedUp.get(keyOf(plan, price));
    // A price that a change brings is charged from the next period on, and includes something from then on.
    return (whole, counts) => (usedUp === undefined ? zero : maxDecimal(whole.minus(usedUp[counts]), zero));
  }

  #told(plan: PlanVersion, whole: Decimal, stretch: Period): Pick<Allowance, "share"> {
    const { full, timeZone } = this.#frame;
    const measure = planMeasure(plan, full, timeZone);
    const units = measure.passed(stretch.end) - measure.passed(stretch.start);
    const { unit } = prorationOf(plan);
    return {
      share: { whole: whole.text, unit, units: units.toString(), ofUnits: measure.whole.toString() },
    };
  }

  #isWhole({ start, end }: Period): boolean {
    return start === this.#frame.full.start && end === this.#frame.full.end;
  }
}

/** What a whole period has free: of a percentage an amount. */
function wholeOf({ model, included }: UsagePrice): Decimal {
  return decimal(model.type === "percentage" ? (model.freeAmountMinor ?? "0") : included);
}

const keyOf = (plan: PlanVersion, price: UsagePrice): string => JSON.stringify([plan.key, price.key]);
