import { Stripe } from "stripe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { atMost } from "../../src/activities/at-most.ts";
import { collectInvoice } from "../../src/activities/collect-invoice.ts";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import { operationLog } from "../../src/db/billing/stripe-operations.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { type Collecting, stripeRail } from "../../src/stripe/index.ts";
import { followStripe } from "../../src/workers/stripe-upkeep.ts";
import { buyCredit } from "../api/support/paid-credit.ts";
import { addCustomer, openUsage } from "../db/usage-fixture.ts";
import { accountOf } from "../stripe/support/sandbox.ts";
import { expectInvariants } from "../support/invariants.ts";
import { untilDone } from "../support/until-done.ts";
import { giveCard, openAccount, standing } from "./paying-customers.ts";

/**
 * Invoices of 500 cents, every tenth with a card that declines, collected from a Stripe of which one call in six goes wrong in one
 * of nine ways, and whose webhooks never come. A thousand each way with `npm run test:nightly`,
 * ten thousand with `npm run bench:stripe -- --only soak`.
 */
const at = "2026-02-01T00:00:00.000Z";
const invoices = Number(process.env.HOSTILE_INVOICES ?? (process.env.NIGHTLY === undefined ? 30 : 1_000));
const faults = [
  ...["reset_before", "reset_after", "truncate", "error_before", "error_after_stored", "html_502"],
  ...["conflict", "lock_timeout", "rate_limit"],
];

let fixture: Awaited<ReturnType<typeof openUsage>>;
beforeAll(async () => {
  fixture = await openUsage({ poolSize: 8 });
});
afterAll(() => fixture.close());

const ways: readonly Collecting[] = [
  { by: "invoice" },
  { by: "payment_intent", returnUrl: "https://shop.test/thanks" },
];

describe.each(ways)("collecting by $by", (collecting) => {
  test("what Stripe was paid is what is booked, once each, and nothing is left undecided", {
    timeout: invoices * 3_000 + 60_000,
  }, async () => {
    const account = await openAccount(fixture.db);
    const stripe = accountOf(account.sandbox.url, account.apiKey);
    const calm = {
      db: fixture.db,
      rail: account.rail,
      gateway: {},
      now: standing(at),
    } as ActivityDependencies;
    const withRoom = atMost(8);
    const numbers = Array.from({ length: invoices }, (_, number) => number);
    const ids = await Promise.all(
      numbers.map((number) => withRoom(() => issued(calm, collecting.by, number))),
    );
    for (const [seed, action] of faults.entries()) {
      await stripe.control("faults", { action, probability: 0.02, seed: seed + 1, match: "/v1/*" });
      await stripe.control("faults", { action, probability: 0.02, seed: seed + 20, match: "/v1/*/*/*" });
    }
    const address = { host: "127.0.0.1", port: account.sandbox.port, protocol: "http" } as const;
    const sdk = new Stripe(account.apiKey, { ...address, maxNetworkRetries: 0, timeout: 5_000 });
    const deps = { ...calm, rail: stripeRail(sdk, operationLog(fixture.db), collecting) };
    const collect = (invoiceId: string) => () =>
      untilDone(() => collectInvoice(deps, { invoiceId, at, collectedBy: null }));
    const outcomes = await Promise.all(ids.map((invoiceId) => withRoom(collect(invoiceId))));
    const declined = numbers.filter(isDeclined).length;
    expect(outcomes.filter(({ status }) => status === "declined")).toHaveLength(declined);
    expect(outcomes.filter(({ status }) => status === "paid")).toHaveLength(invoices - declined);
    const { faults: armed } = await stripe.control<{ faults: { firedFor: string[] }[] }>("faults");
    expect(armed.flatMap(({ firedFor }) => firedFor).length).toBeGreaterThan(invoices / 10);
    await untilDone(() => followStripe(deps, 60_000));
    await untilDone(() => followStripe(deps, 60_000));
    expect(await bookedAmounts(ids)).toEqual(await paidAmounts(stripe));
    const [undecided] = await fixture.db.sql<{ calls: number }[]>`
      select count(*)::int as calls from stripe.operation where state = 'sent'`;
    expect(undecided?.calls).toBe(0);
    await expectInvariants(fixture.db, { limits: { billing: 1e9, webhook: 1e9 } });
    await account.sandbox.close();
  });
});

const isDeclined = (number: number) => number % 10 === 9;

async function issued(deps: ActivityDependencies, by: string, number: number): Promise<string> {
  const [customerId, grantId] = [`${by}-${number}`, `${by}-grant-${number}`];
  await addCustomer(fixture.db, customerId);
  await giveCard(deps, customerId, isDeclined(number) ? "pm_card_chargeCustomerFail" : "pm_card_visa");
  await buyCredit(fixture.db, { customerId, grantId, amountMinor: 500n, isPaid: false, at: instant(at) });
  return `inv_${grantId}`;
}

/** By charge, what the ledger has of it. */
async function bookedAmounts(ids: readonly string[]): Promise<Record<string, number>> {
  const rows = await fixture.db.sql<{ charge: string; amount: string }[]>`
    select stripe_charge_id as charge, amount_minor as amount from billing.payment
    where invoice_id in (select json_array_elements_text(${JSON.stringify(ids)}::text::json))`;
  return Object.fromEntries(rows.map(({ charge, amount }) => [charge, Number(amount)]));
}

interface Charge {
  readonly id: string;
  readonly status: string;
  readonly amount: number;
}

async function paidAmounts(stripe: ReturnType<typeof accountOf>): Promise<Record<string, number>> {
  const { charges } = await stripe.control<{ charges: Charge[] }>("dump");
  const paid = charges.filter(({ status }) => status === "succeeded");
  return Object.fromEntries(paid.map(({ id, amount }) => [id, amount]));
}
