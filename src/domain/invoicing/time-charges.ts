import type { Instant, Period } from "../calendar/index.ts";
import type { PlanVersion, RecurringPrice, SeatPrice } from "../catalog/index.ts";
import { decimal, type Money, money, negateMoney, subtractMoney } from "../money/index.ts";
import { unusedShare } from "../proration/index.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import type { Terms, TermsStretch } from "./terms.ts";

/** What one price of the terms costs for a whole period. */
interface TimeCharge {
  readonly plan: PlanVersion;
  readonly price: RecurringPrice | SeatPrice;
  /** Seats that are paid for; 1 for a flat price. */
  readonly quantity: number;
  readonly amount: Money;
}

/** The lines for a period that is about to begin: base fees and seats, in full. */
export function advanceLines(terms: Terms, period: Period): InvoiceLine[] {
  return advanceCharges(terms)
    .filter(({ amount }) => amount.amountMinor !== 0n)
    .map((charge) => timeLine(charge, period, charge.amount, "deferred", titleOf(charge), {}));
}

/**
 * What a change inside a period costs: for every price whose charge differs, a credit for the unused part of the old
 * charge and a charge for the rest of the period at the new one, to the millisecond. Both parts are taken from the full
 * amount, so any number of changes in a row sums exactly to what was used.
 */
export function prorationLines(before: Terms, after: Terms, period: Period, at: Instant): InvoiceLine[] {
  const old = advanceCharges(before);
  const next = advanceCharges(after);
  const rest = { start: at, end: period.end };
  const credits = old
    .filter((charge) => !next.some((other) => sameCharge(charge, other)))
    .map((charge) => {
      const credit = negateMoney(unusedShare(charge.amount, period, at));
      const title = `Unused time on ${titleOf(charge)}`;
      return {
        ...timeLine(charge, rest, credit, "deferred", title, partOf(period)),
        kind: "proration_credit" as const,
      };
    });
  const charges = next
    .filter((charge) => !old.some((other) => sameCharge(charge, other)))
    .map((charge) => {
      const share = unusedShare(charge.amount, period, at);
      const title = `Remaining time on ${titleOf(charge)}`;
      return {
        ...timeLine(charge, rest, share, "deferred", title, partOf(period)),
        kind: "proration_charge" as const,
      };
    });
  return [...credits, ...charges].filter(({ amount }) => amount.amountMinor !== 0n);
}

/** The unused part of everything charged in advance, when a subscription ends at `at`. */
export function endingCredits(before: Terms, period: Period, at: Instant): InvoiceLine[] {
  return prorationLines(before, { ...before, items: [] }, period, at);
}

/** Flat prices billed after the fact, for the part of the period in which the terms held. */
export function arrearsLines(stretches: readonly TermsStretch[], period: Period): InvoiceLine[] {
  return stretches.flatMap((stretch) =>
    stretch.terms.items.flatMap(({ plan }) =>
      plan.prices.flatMap((price) => {
        if (price.type !== "flat" || price.timing !== "in_arrears" || stretch.terms.paused) return [];
        const full = money(BigInt(price.amountMinor), plan.currency);
        const amount = subtractMoney(
          unusedShare(full, period, stretch.start),
          unusedShare(full, period, stretch.end),
        );
        if (amount.amountMinor === 0n) return [];
        const charge = { plan, price, quantity: 1, amount: full };
        const part = { start: stretch.start, end: stretch.end };
        return [timeLine(charge, part, amount, "earned", titleOf(charge), partOf(period))];
      }),
    ),
  );
}

function advanceCharges({ items, paused }: Terms): TimeCharge[] {
  if (paused) return [];
  return items.flatMap(({ plan, seats }) =>
    plan.prices.flatMap((price): TimeCharge[] => {
      if (price.type === "flat" && price.timing === "in_advance") {
        return [{ plan, price, quantity: 1, amount: money(BigInt(price.amountMinor), plan.currency) }];
      }
      if (price.type === "seat") {
        const quantity = Math.max(0, seats - price.includedSeats);
        const amount = money(BigInt(price.unitAmountMinor) * BigInt(quantity), plan.currency);
        return [{ plan, price, quantity, amount }];
      }
      return [];
    }),
  );
}

function sameCharge(one: TimeCharge, other: TimeCharge): boolean {
  return (
    one.plan.key === other.plan.key &&
    one.plan.version === other.plan.version &&
    one.price.key === other.price.key &&
    one.quantity === other.quantity
  );
}

function timeLine(
  { plan, price, quantity }: TimeCharge,
  period: Period,
  amount: Money,
  earning: "deferred" | "earned",
  description: string,
  detail: InvoiceLine["detail"],
): InvoiceLine {
  return {
    kind: price.type === "seat" ? "seats" : "flat",
    earning,
    description,
    product: price.product,
    source: { planKey: plan.key, planVersion: plan.version, priceKey: price.key },
    period,
    quantity: price.type === "seat" ? decimal(BigInt(quantity)) : null,
    exactMinor: decimal(amount.amountMinor),
    amount,
    detail,
  };
}

function titleOf({ plan, price, quantity }: TimeCharge): string {
  return price.type === "seat" ? `${plan.name}: ${price.name} × ${quantity}` : `${plan.name}: ${price.name}`;
}

/** The whole of which a line is a part. */
function partOf(period: Period) {
  return { fullPeriodStart: period.start, fullPeriodEnd: period.end };
}
