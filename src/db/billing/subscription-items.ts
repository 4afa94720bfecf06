import {
  type BillingInterval,
  contractIssues,
  type PlanVersion,
  type PriceOverride,
} from "../../domain/catalog/index.ts";
import { metersOf, SubscriptionRuleError, type TermsItem } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { newestVersions, publishedMeters } from "../usage/meters-in-force.ts";
import { publishedTables } from "./cost-tables.ts";
import { latestPlan } from "./plan-versions.ts";
import { otherSubscriptions, termsHistory } from "./subscriptions.ts";
import type { KnownPlans } from "./terms-histories.ts";

/** More seats than any organisation has; a typing mistake is refused instead of billed. */
const seatsMax = 1_000_000;

/** A plan that somebody wants, with as many seats. */
export interface WantedItem {
  readonly planKey: string;
  readonly seats: number;
  /** What is agreed instead of the plan's prices. */
  readonly overrides?: readonly PriceOverride[];
}

/** The newest version of a plan that somebody wants. @param plans that were read before @throws SubscriptionRuleError */
export async function itemFor(
  tx: Tx,
  { planKey, seats, overrides }: WantedItem,
  plans?: KnownPlans,
): Promise<TermsItem> {
  const plan = await latestPlan(tx, planKey, plans);
  if (plan === undefined) {
    throw new SubscriptionRuleError(
      "plan_not_found",
      `there is no plan "${planKey}": check the catalog`,
      "plan",
    );
  }
  const item = { plan, seats: checkedSeats(seats) };
  if (overrides === undefined) return item;
  const catalog = {
    meters: newestVersions(await publishedMeters(tx)),
    costTables: await publishedTables(tx),
  };
  const [issue] = contractIssues(plan, overrides, catalog);
  if (issue === undefined) return { ...item, overrides };
  throw new SubscriptionRuleError("price_override_invalid", `${issue.path}: ${issue.message}`, "overrides");
}

/** @throws SubscriptionRuleError unless it is a whole number of seats that somebody can have */
export function checkedSeats(seats: number): number {
  if (Number.isSafeInteger(seats) && seats >= 1 && seats <= seatsMax) return seats;
  throw new SubscriptionRuleError("seats_invalid", `seats must be 1 to ${seatsMax}, not ${seats}`, "seats");
}

/**
 * Refuses items that do not fit together or with the customer: one currency, one interval, each plan once, and each
 * meter priced by one subscription only, so that no usage is billed twice.
 * @param isAlone whether it is known that the customer has no other subscription
 */
export async function requireFitting(
  tx: Tx,
  customer: { readonly id: string; readonly currency: string },
  subscriptionId: string,
  items: readonly TermsItem[],
  { isAlone = false }: { readonly isAlone?: boolean } = {},
): Promise<void> {
  const [first] = items;
  if (first === undefined) {
    throw new SubscriptionRuleError("items_missing", "a subscription needs at least one plan", "items");
  }
  for (const [index, { plan }] of items.entries()) {
    requirePlanFits(plan, customer.currency, first.plan.interval);
    if (items.findIndex((item) => item.plan.key === plan.key) < index) {
      throw new SubscriptionRuleError(
        "plan_already_subscribed",
        `${plan.key} is subscribed to already`,
        "plan",
      );
    }
  }
  requireRequired(items);
  if (isAlone) return;
  const meters = metersOf(items);
  for (const other of await otherSubscriptions(tx, customer.id, subscriptionId)) {
    const latest = (await termsHistory(tx, other.id)).at(-1);
    const shared =
      latest === undefined ? undefined : metersOf(latest.items).find((key) => meters.includes(key));
    if (shared !== undefined) {
      throw new SubscriptionRuleError(
        "meter_already_billed",
        `usage of ${shared} is billed by subscription ${other.id} already: change that one instead`,
      );
    }
  }
}

/** An add-on is sold only beside one of the plans that it requires. */
function requireRequired(items: readonly TermsItem[]): void {
  for (const { plan } of items) {
    const { requires = [] } = plan;
    if (requires.length === 0 || items.some((other) => requires.includes(other.plan.key))) continue;
    throw new SubscriptionRuleError(
      "plan_required",
      `${plan.key} is sold only beside ${requires.join(" or ")}: subscribe to that too, or remove ${plan.key} first`,
      "plan",
    );
  }
}

function requirePlanFits(plan: PlanVersion, currency: string, interval: BillingInterval): void {
  if (plan.currency !== currency) {
    throw new SubscriptionRuleError(
      "plan_currency_differs",
      `plan ${plan.key} is in ${plan.currency}, the customer is billed in ${currency}`,
      "plan",
    );
  }
  if (plan.interval.unit !== interval.unit || plan.interval.count !== interval.count) {
    throw new SubscriptionRuleError(
      "plan_interval_differs",
      `plan ${plan.key} is billed every ${plan.interval.count} ${plan.interval.unit}, the one beside it every ${interval.count} ${interval.unit}`,
      "plan",
    );
  }
}
