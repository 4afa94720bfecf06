import { openSubscription } from "../../src/activities/open-subscription.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { chooseInvoicing } from "../../src/db/billing/customer-invoicing.ts";
import { type Database, inTransaction } from "../../src/db/database.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import { buyCredit } from "../api/support/paid-credit.ts";
import { addCustomer } from "../db/usage-fixture.ts";

/** Subscriptions since January; their first period ends with it, and is due an hour later. */
export const periodStart = "2026-01-01T00:00:00.000Z";
export const periodEnd = "2026-02-01T00:00:00.000Z";
export const dueAt = "2026-02-01T01:00:00.000Z";

export const subscriptionOf = (customerId: string) => `sub-${customerId}`;

export async function publishPlans(db: Database): Promise<void> {
  await inTransaction(db, (tx) => publishCatalog(tx, parseCatalog(catalog)));
}

/** On a plan with a base fee, seats and usage. */
export async function subscribe(db: Database, customerId: string, seats = 1): Promise<string> {
  await addCustomer(db, customerId);
  return await open(db, customerId, subscriptionOf(customerId), { planKey: "metered", seats });
}

/** One more for a customer, whose usage is billed by another: on a plan with support only. */
export const subscribeToSupport = (db: Database, customerId: string, subscriptionId: string) =>
  open(db, customerId, subscriptionId, { planKey: "supported", seats: 1 });

async function open(
  db: Database,
  customerId: string,
  subscriptionId: string,
  item: { readonly planKey: string; readonly seats: number },
): Promise<string> {
  const items = [item];
  await openSubscription(db, { subscriptionId, customerId, requestId: "open", at: periodStart, items });
  return subscriptionId;
}

/**
 * Gives a subscription a plan version that nobody published, which only a bug could have written: its periods cannot be closed.
 * Answers with what undoes it.
 */
export async function breakTermsOf(owner: Database, subscriptionId: string): Promise<() => Promise<void>> {
  const become = (planKey: string) =>
    owner.sql.begin(async (tx) => {
      await tx`alter table billing.subscription_terms disable trigger user`;
      await tx`update billing.subscription_terms set items = jsonb_set(items, '{0,planKey}', to_jsonb(${planKey}::text))
        where subscription_id = ${subscriptionId}`;
      await tx`alter table billing.subscription_terms enable trigger user`;
    });
  await become("lost");
  return async () => void (await become("metered"));
}

/**
 * Customers who differ in all that a close looks at: seats, usage on many days or none, credit that covers none, part or
 * all of it. The same ones whenever it is asked.
 */
export async function addVariedCustomers(db: Database, count: number): Promise<string[]> {
  const meters = await publishedMeters(db.orm);
  const customers = Array.from({ length: count }, (_, number) => `varied-${number}`);
  for (const [number, customerId] of customers.entries()) {
    await subscribe(db, customerId, 1 + (number % 4));
    const events = Array.from({ length: (number * 7) % 12 }, (_, nth) => ({
      id: `${customerId}-${nth}`,
      source: "gateway",
      customerId,
      type: "request",
      time: instant(`2026-01-${String(1 + ((nth * 5) % 30)).padStart(2, "0")}T10:00:00Z`),
      data: { model: nth % 2 === 0 ? "large" : "small", tokens: 1_000 * (1 + ((number + nth) % 9)) },
    }));
    if (events.length > 0) await ingestEvents(db, events, meters);
    if (number % 3 > 0) {
      const grantId = `credit-${number}`;
      await buyCredit(db, {
        grantId,
        customerId,
        amountMinor: BigInt(number * 60),
        at: instant(periodStart),
      });
    }
  }
  return customers;
}

/** Customers whose subscriptions are invoiced together: one with usage and two with support, and credit for some. */
export async function addConsolidatedCustomers(db: Database, count: number): Promise<string[]> {
  const meters = await publishedMeters(db.orm);
  const customers = Array.from({ length: count }, (_, number) => `together-${number}`);
  for (const [number, customerId] of customers.entries()) {
    await subscribe(db, customerId, 1 + number);
    for (const nth of [1, 2])
      await subscribeToSupport(db, customerId, `${subscriptionOf(customerId)}-${nth}`);
    await inTransaction(db, async (tx) => {
      const chosen = {
        invoicing: "consolidated",
        effectiveAt: instant(periodStart),
        chosenBy: "alice",
      } as const;
      await chooseInvoicing(tx, customerId, chosen);
    });
    const event = { id: customerId, source: "gateway", customerId, type: "request" };
    const data = { model: "large", tokens: 5_000 * (1 + number) };
    await ingestEvents(db, [{ ...event, time: instant("2026-01-10T10:00:00Z"), data }], meters);
    if (number % 2 === 0) continue;
    const purchase = { grantId: `together-credit-${number}`, customerId, amountMinor: 60n };
    await buyCredit(db, { ...purchase, at: instant(periodStart) });
  }
  return customers;
}

/** All that a customer of {@link addConsolidatedCustomers} has. */
export const subscriptionsOf = (customerId: string): string[] =>
  ["", "-1", "-2"].map((suffix) => `${subscriptionOf(customerId)}${suffix}`);

const support = {
  key: "support",
  type: "flat",
  name: "Support",
  product: "support",
  timing: "in_arrears",
  amountMinor: "500",
};

const catalog = {
  meters: [
    { key: "tokens", eventType: "request", aggregation: "sum", property: "tokens", dimensions: ["model"] },
  ],
  plans: [
    {
      key: "metered",
      name: "Metered",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      graceSeconds: 3600,
      prices: [
        {
          key: "base",
          type: "flat",
          name: "Base",
          product: "platform",
          timing: "in_advance",
          amountMinor: "2000",
        },
        {
          key: "seats",
          type: "seat",
          name: "Seats",
          product: "seats",
          timing: "in_advance",
          unitAmountMinor: "900",
          includedSeats: 1,
        },
        support,
        ...["large", "small"].map((model) => ({
          key: `tokens-${model}`,
          type: "usage",
          name: `Tokens of ${model}`,
          product: "tokens",
          meter: "tokens",
          where: { model },
          included: "0",
          model: { type: "per_unit", unitPriceMinor: "0.01" },
        })),
      ],
    },
    {
      key: "supported",
      name: "Supported",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      graceSeconds: 3600,
      prices: [support],
    },
  ],
};
