import { randomBytes } from "node:crypto";
import { atMost } from "../../src/activities/at-most.ts";
import { collectInvoice } from "../../src/activities/collect-invoice.ts";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import { issueCreditPurchase } from "../../src/activities/issue-credit-purchase.ts";
import { insertGrant } from "../../src/db/billing/credit-grants.ts";
import { setPaymentMethod, setStripeCustomer } from "../../src/db/billing/customer-payment.ts";
import { insertCustomer } from "../../src/db/billing/customers.ts";
import { operationLog } from "../../src/db/billing/stripe-operations.ts";
import { turnsOf } from "../../src/db/billing/stripe-turns.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { instant, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import {
  type Collecting,
  createStripe,
  StripeCallError,
  type StripeRail,
  stripeRail,
} from "../../src/stripe/index.ts";
import { stopwatch } from "../figures.ts";
import { startServer } from "../ledger/server.ts";
import { type StandIn, startStandIn } from "./stand-in.ts";

/** Stripe's documented limits of a live account: requests a second, and of each endpoint. */
const documented = { requestsPerSecond: 100, requestsPerEndpoint: 25 };
type Limits = typeof documented;

/** Calls for an invoice that is paid at once: all of them, and the most of one endpoint. */
const callsOf = {
  invoice: { all: 6, ofOneEndpoint: 1 },
  payment_intent: { all: 1, ofOneEndpoint: 1 },
} as const;

const at = instant("2026-02-01T00:00:00Z");
/** As many as get their turn within the time that one waits for it. */
const atOnce = 24;

/**
 * Invoices collected as fast as Stripe's limits allow, in both ways.
 * @param share of the documented limits: below 1 where the machine is too busy to meet them
 */
export async function measureRail({ invoices, share }: { invoices: number; share: number }) {
  const { requestsPerSecond, requestsPerEndpoint } = documented;
  const limits = {
    requestsPerSecond: requestsPerSecond * share,
    requestsPerEndpoint: requestsPerEndpoint * share,
  };
  const server = await startServer(console.log, 1);
  const standIn = await startStandIn();
  const db = openDatabase({ url: server.appUrl, poolSize: 16 });
  try {
    const measured = [];
    for (const by of ["payment_intent", "invoice"] as const) {
      measured.push(await collectAll({ db, standIn, by, invoices, limits }));
    }
    return measured;
  } finally {
    await db.close();
    await standIn.stop();
    await server.stop();
  }
}

interface Run {
  readonly db: Database;
  readonly standIn: StandIn;
  readonly by: Collecting["by"];
  readonly invoices: number;
  readonly limits: Limits;
}

async function collectAll({ db, standIn, by, invoices, limits }: Run) {
  const apiKey = `sk_test_${randomBytes(12).toString("hex")}`;
  const collecting: Collecting = by === "invoice" ? { by } : { by, returnUrl: "https://shop.test/thanks" };
  const access = { apiKey, apiBase: standIn.url };
  const unhurried = stripeRail(createStripe(access), operationLog(db), collecting);
  const withRoom = atMost(16);
  const numbers = Array.from({ length: invoices }, (_, number) => number);
  const ids = await Promise.all(numbers.map((number) => withRoom(() => issued(db, unhurried, by, number))));
  await setLimits(standIn, apiKey, limits);
  const pace = { perSecond: limits.requestsPerSecond, perEndpoint: limits.requestsPerEndpoint };
  const takeTurn = turnsOf(db, pace);
  const rail = stripeRail(createStripe({ ...access, takeTurn }), operationLog(db), collecting);
  const deps = { db, rail, gateway: {}, now: () => instantOfEpochMs(Date.now()) } as ActivityDependencies;
  const [charge, seconds] = [atMost(atOnce), stopwatch()];
  let refusedForNow = 0;
  let collected = 0;
  const outcomes = await Promise.all(
    ids.map((invoiceId) =>
      charge(async () => {
        const outcome = await untilDone(
          () => collectInvoice(deps, { invoiceId, at: isoOf(at), collectedBy: null }),
          () => refusedForNow++,
        );
        collected += 1;
        if (collected % 200 === 0) console.log(`by ${by}: ${collected} of ${invoices} collected`);
        return outcome;
      }),
    ),
  );
  const elapsed = seconds();
  const allowed = Math.min(
    limits.requestsPerSecond / callsOf[by].all,
    limits.requestsPerEndpoint / callsOf[by].ofOneEndpoint,
  );
  const perSecond = invoices / elapsed;
  return {
    by,
    invoices,
    paid: outcomes.filter(({ status }) => status === "paid").length,
    seconds: elapsed,
    perSecond: Math.round(perSecond * 100) / 100,
    allowedPerSecond: Math.round(allowed * 100) / 100,
    ofWhatIsAllowed: `${((100 * perSecond) / allowed).toFixed(1)} %`,
    refusedForNow,
  };
}

/** What a run does: what was not done is tried again under the same keys. */
async function untilDone<T>(work: () => Promise<T>, onAgain: () => void): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StripeCallError)) throw error;
      if (!["rate_limited", "conflict", "unavailable"].includes(error.failure.kind)) throw error;
      onAgain();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** A customer with a card who has bought credits, and an invoice about it that nobody collects yet. */
async function issued(db: Database, rail: StripeRail, by: string, number: number): Promise<string> {
  const id = `${by}-${number}`;
  const person = { name: id, email: `${id}@example.com` };
  const row = { id, ...person, currency: "usd", timeZone: "UTC", testClockId: null, createdAt: at };
  await insertCustomer(db.orm, row);
  const { stripeCustomerId } = await rail.ensureCustomer({ customerId: id, ...person, at });
  await setStripeCustomer(db.orm, id, stripeCustomerId);
  const card = { paymentMethodToken: "pm_card_visa", key: `customer/${id}/card`, at };
  const attached = await rail.attachPaymentMethod({ customerId: id, stripeCustomerId, ...card });
  const { stripePaymentMethodId, ...shown } = attached;
  // A card of their own each: charges of one card wait for each other.
  await setPaymentMethod(db.orm, id, { ...shown, id: stripePaymentMethodId });
  const terms = { priority: 50, expiresAt: null, reason: "bench", effectiveAt: at, createdAt: at };
  const amount = { amountMinor: 2_000n, currency: "usd" };
  await insertGrant(db.orm, {
    id,
    customerId: id,
    invoiceId: `inv_${id}`,
    kind: "paid",
    ...amount,
    ...terms,
  });
  return (await issueCreditPurchase(db, { grantId: id, at: isoOf(at) })).invoiceId;
}

async function setLimits({ url }: StandIn, apiKey: string, limits: Limits): Promise<void> {
  const headers = { Authorization: `Bearer ${apiKey}` };
  const answer = await fetch(`${url}/_sandbox/limits`, {
    method: "POST",
    headers,
    body: JSON.stringify(limits),
  });
  if (!answer.ok) throw new Error(`limits: HTTP ${answer.status}`);
}
