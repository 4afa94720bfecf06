import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { collectInvoice, mirrorInvoice } from "../../src/activities/collect-invoice.ts";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import { findInvoice } from "../../src/db/billing/invoices.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { eventTypes } from "../../src/stripe/index.ts";
import { applied } from "../../src/workers/webhook-inbox.ts";
import { buyCredit } from "../api/support/paid-credit.ts";
import { addCustomer, openUsage } from "../db/usage-fixture.ts";
import { accountOf } from "../stripe/support/sandbox.ts";
import { type Dice, diceOf } from "../support/dice.ts";
import { expectInvariants } from "../support/invariants.ts";
import { giveCard, openAccount, standing } from "./paying-customers.ts";

/**
 * What Stripe tells of a payment, in every order and some of it twice, by snapshots and by thin events: whatever comes when, it ends
 * in one state. Some orders of each story here; every one of them with `npm run test:nightly`.
 */
const at = "2026-02-01T00:00:00.000Z";
const ordersOfEach = process.env.NIGHTLY === undefined ? 5 : Number.POSITIVE_INFINITY;

let fixture: Awaited<ReturnType<typeof openUsage>>;
let account: Awaited<ReturnType<typeof openAccount>>;
let stripe: ReturnType<typeof accountOf>;
let deps: ActivityDependencies;
beforeAll(async () => {
  fixture = await openUsage({ poolSize: 4 });
  account = await openAccount(fixture.db);
  stripe = accountOf(account.sandbox.url, account.apiKey);
  deps = { db: fixture.db, rail: account.rail, gateway: {}, now: standing(at) } as ActivityDependencies;
});
afterAll(async () => {
  await account.sandbox.close();
  await fixture.close();
});

const bank = (action: string, on: object) => stripe.control<{ id: string }>("bank", { action, ...on });

interface Paid {
  readonly invoiceId: string;
  readonly charge: string;
  readonly intent: string;
}

let told = 0;
/** Somebody has bought credits with a card, and we have heard the answer. */
async function paid(): Promise<Paid> {
  told += 1;
  const customerId = `payer-${told}`;
  await addCustomer(fixture.db, customerId);
  await giveCard(deps, customerId, "pm_card_visa");
  const grantId = `grant-${told}`;
  await buyCredit(fixture.db, { customerId, grantId, amountMinor: 500n, isPaid: false, at: instant(at) });
  const invoiceId = `inv_${grantId}`;
  await collectInvoice(deps, { invoiceId, at, collectedBy: null });
  const [payment] = await fixture.db.sql<{ charge: string; intent: string }[]>`
    select stripe_charge_id as charge, stripe_payment_intent_id as intent from billing.payment
    where invoice_id = ${invoiceId}`;
  return { invoiceId, charge: payment?.charge ?? "", intent: payment?.intent ?? "" };
}

interface Story {
  readonly name: string;
  readonly happens: (paid: Paid) => Promise<unknown>;
  readonly ends: string;
}

const stories: readonly Story[] = [
  {
    name: "a chargeback that is won",
    happens: async ({ charge }) => {
      const { id: dispute } = await bank("open_dispute", { charge });
      await bank("win_dispute", { dispute, fee_returned: true });
    },
    ends: "won, 0 taken: payment_succeeded, balance_transaction_recorded, prepaid_credits_funded, dispute_opened, dispute_won",
  },
  {
    name: "a chargeback that is lost",
    happens: async ({ charge }) => {
      const { id: dispute } = await bank("open_dispute", { charge, amount: 300 });
      await bank("lose_dispute", { dispute });
    },
    ends: "lost, 300 taken: payment_succeeded, balance_transaction_recorded, prepaid_credits_funded, dispute_opened, dispute_lost",
  },
  {
    name: "an inquiry that becomes a chargeback, and is lost",
    happens: async ({ charge }) => {
      const { id: dispute } = await bank("open_dispute", { charge, inquiry: true });
      await bank("escalate_inquiry", { dispute });
      await bank("lose_dispute", { dispute });
    },
    ends: "lost, 500 taken: payment_succeeded, balance_transaction_recorded, prepaid_credits_funded, dispute_opened, dispute_lost",
  },
  {
    name: "an inquiry that comes to nothing",
    happens: async ({ charge }) => {
      const { id: dispute } = await bank("open_dispute", { charge, inquiry: true });
      await bank("close_inquiry", { dispute });
    },
    ends: "warning_closed, 0 taken: payment_succeeded, balance_transaction_recorded, prepaid_credits_funded",
  },
];

/** Every event so far that something may follow from and that is about this payment, the oldest first. */
async function eventsAbout({ charge, intent, invoiceId }: Paid) {
  const invoice = await findInvoice(fixture.db.orm, invoiceId);
  const { data } = await stripe.stripe.events.list({ types: [...eventTypes], limit: 100 });
  const names = [charge, intent, invoice?.stripeInvoiceId ?? invoiceId];
  return data
    .map((event) => ({ event_id: event.id, type: event.type, body: JSON.stringify(event) }))
    .filter(({ body }) => names.some((name) => body.includes(`"${name}"`)))
    .toReversed();
}

interface Told {
  readonly event_id: string;
  readonly type: string;
  readonly body: string;
}

/** The same as a destination for thin events gets it: which object it is, and nothing of it. */
function thinOf({ event_id: snapshot, type, body }: Told): Told {
  const { id, object } = JSON.parse(body).data.object;
  const event_id = `${snapshot}_thin`;
  const related_object = { id, type: object, url: `/v1/${object}s/${id}` };
  const thin = { id: event_id, object: "v2.core.event", type: `v1.${type}`, related_object };
  return { event_id, type: thin.type, body: JSON.stringify(thin) };
}

async function standingOf({ invoiceId, intent }: Paid): Promise<string> {
  const [dispute] = await fixture.db.sql<{ status: string; taken: string }[]>`
    select status, withdrawn_minor as taken from billing.invoice_dispute where invoice_id = ${invoiceId}`;
  const entries = await fixture.db.sql<{ kind: string }[]>`
    select kind from ledger.journal_entry where metadata ->> 'payment_id' = ${intent}
      or metadata ->> 'invoice_id' = ${invoiceId} and kind = 'prepaid_credits_funded' order by id`;
  const order = ["payment_succeeded", "balance_transaction_recorded", "prepaid_credits_funded"];
  const rank = (kind: string) => (order.includes(kind) ? order.indexOf(kind) : order.length);
  const kinds = entries.map(({ kind }) => kind).toSorted((a, b) => rank(a) - rank(b));
  return `${dispute?.status}, ${dispute?.taken} taken: ${kinds.join(", ")}`;
}

/** All orders of `count` things; a fair choice of them when there are more than `most`. */
function ordersOf(count: number, most: number, dice: Dice): number[][] {
  const all = permutations(Array.from({ length: count }, (_, index) => index));
  if (all.length <= most) return all;
  return Array.from({ length: most }, () => all[dice(all.length)] ?? []);
}

function permutations(of: readonly number[]): number[][] {
  if (of.length < 2) return [[...of]];
  return of.flatMap((first) =>
    permutations(of.filter((each) => each !== first)).map((rest) => [first, ...rest]),
  );
}

describe.each(stories)("$name", ({ happens, ends }) => {
  const patienceMs = process.env.NIGHTLY === undefined ? 120_000 : 3_600_000;
  test("ends in one state, in whatever order it is told, and however often", {
    timeout: patienceMs,
  }, async () => {
    const dice = diceOf(7);
    let orders: number[][] = [];
    for (let run = 0; run === 0 || run < orders.length; run += 1) {
      const payment = await paid();
      await happens(payment);
      const events = await eventsAbout(payment);
      expect(events.length).toBeGreaterThan(1);
      expect(events.length).toBeLessThanOrEqual(7);
      if (run === 0) orders = ordersOf(events.length, ordersOfEach, dice);
      const order = orders[run] ?? [];
      const twice = order.flatMap((place) => (dice(3) === 0 ? [place, place] : [place]));
      for (const place of [...twice, order[0] ?? 0]) {
        const event = events[place];
        if (event !== undefined) await applied(deps, run % 2 === 0 ? event : thinOf(event));
      }
      const types = order.map((place) => events[place]?.type).join(" → ");
      expect(await standingOf(payment), types).toBe(ends);
    }
    await expectInvariants(fixture.db, { limits: { billing: 1e9, clearing: 1e9 } });
  });
});

test("marked at Stripe as paid outside of it: set aside for a person, since nobody knows where the money is", async () => {
  told += 1;
  const [customerId, grantId] = [`payer-${told}`, `grant-${told}`];
  await addCustomer(fixture.db, customerId);
  await giveCard(deps, customerId, "pm_card_visa");
  await buyCredit(fixture.db, { customerId, grantId, amountMinor: 500n, isPaid: false, at: instant(at) });
  await mirrorInvoice(deps, { invoiceId: `inv_${grantId}`, at });
  const invoice = await findInvoice(fixture.db.orm, `inv_${grantId}`);
  await stripe.stripe.invoices.pay(invoice?.stripeInvoiceId ?? "", { paid_out_of_band: true });
  const { data } = await stripe.stripe.events.list({ type: "invoice.paid", limit: 1 });
  const [event] = data.map(({ id, type, ...rest }) => ({
    event_id: id,
    type,
    body: JSON.stringify({ id, type, ...rest }),
  }));
  if (event === undefined) throw new Error("an event was expected");
  await expect(applied(deps, event)).rejects.toMatchObject({ code: "paid_outside_stripe" });
});

test("of somebody else on the same account are nothing of ours", async () => {
  const { stripe: sdk } = stripe;
  const { id } = await sdk.customers.create({ name: "A stranger" });
  await sdk.paymentIntents.create({
    amount: 700,
    currency: "usd",
    customer: id,
    payment_method: "pm_card_createDispute",
    confirm: true,
    metadata: { reckoner_invoice: "of another deployment" },
  });
  const { data } = await sdk.events.list({ types: [...eventTypes], limit: 3 });
  const outcomes: string[] = [];
  for (const event of data) {
    outcomes.push(await applied(deps, { event_id: event.id, type: event.type, body: JSON.stringify(event) }));
  }
  expect(outcomes).toEqual(["ignored", "ignored", "ignored"]);
});
