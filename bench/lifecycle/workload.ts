import type { Stripe } from "stripe";
import type { PaymentMethodSummary } from "../../src/db/schema/billing.ts";
import { isoOf, type Period } from "../../src/domain/calendar/index.ts";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { addCustomers, customerId, takeInUsage } from "../rating/billed-customers.ts";
import type { SystemUnderTest } from "./system-under-test.ts";

/** What an hour of grace adds to the end of every period of the workload's plans. */
export const graceMs = 3_600_000;
export const subscriptionOf = (number: number) => `sub_${customerId(number)}`;

/** Does `work` for each number below `count`, so many at a time, and says how far it is. */
export async function forEach(
  count: number,
  atOnce: number,
  what: string,
  note: Note,
  work: (number: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const number = next++;
      if (number % 100 === 0) note(`${number} of ${count} ${what}`);
      await work(number);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/**
 * Customers with a card, for which only the stand-in is asked, and credit that pays for some of what they use, given as anybody
 * gives it: credit needs somebody who has asked for it.
 */
export async function addPayingCustomers(
  { db, stripe, client }: Pick<SystemUnderTest, "db" | "stripe" | "client">,
  count: number,
  note: Note,
): Promise<void> {
  await addCustomers(db, count);
  const cards: CardOfCustomer[] = [];
  await forEach(count, 16, "customers with a card and credit", note, async (number) => {
    cards.push(await cardAtStripe(stripe, customerId(number)));
    await client.post("/v1/customers/{id}/credit-grants", {
      params: { path: { id: customerId(number) } },
      body: { amount_minor: "500", reason_code: "goodwill" },
    });
  });
  await db.sql`
    update billing.customer set stripe_customer_id = kept."stripeCustomerId", payment_method = kept."paymentMethod"
    from json_to_recordset(${JSON.stringify(cards)}::text::json)
      as kept (id text, "stripeCustomerId" text, "paymentMethod" jsonb) where customer.id = kept.id`;
}

interface CardOfCustomer {
  readonly id: string;
  readonly stripeCustomerId: string;
  readonly paymentMethod: PaymentMethodSummary;
}

async function cardAtStripe(stripe: Stripe, id: string): Promise<CardOfCustomer> {
  const metadata = { reckoner_customer: id };
  const { id: customer } = await stripe.customers.create({
    name: id,
    email: "benchmark@example.com",
    metadata,
  });
  const { id: methodId, card } = await stripe.paymentMethods.attach("pm_card_visa", { customer });
  if (!card) throw new Error("a payment method without a card");
  const { brand, last4, exp_month: expMonth, exp_year: expYear, fingerprint } = card;
  const shown = { brand, last4, expMonth, expYear, ...(fingerprint && { fingerprint }) };
  return { id, stripeCustomerId: customer, paymentMethod: { id: methodId, ...shown } };
}

/** Activates subscriptions as the API does, each by a run of its own; answers with the seconds it took. */
export async function activate(
  { gateway }: Pick<SystemUnderTest, "gateway">,
  count: number,
  { plan, at, note }: { readonly plan: string; readonly at: number; readonly note: Note },
): Promise<number> {
  const startedAt = performance.now();
  await forEach(count, 16, "subscriptions activated", note, async (number) => {
    await gateway.activateSubscription(
      { subscriptionId: subscriptionOf(number), customerId: customerId(number), clock: null },
      { requestId: "open", at: isoOf(at as never), items: [{ planKey: plan, seats: 3 }] },
    );
  });
  return (performance.now() - startedAt) / 1_000;
}

/** Usage all over a month, folded into windows as a worker would have. */
export async function takeInMonth(
  { db }: Pick<SystemUnderTest, "db">,
  customers: number,
  month: Period,
  note: Note,
): Promise<void> {
  await takeInUsage(db, { customers, eventsEach: 12, models: 6, month }, note);
}
