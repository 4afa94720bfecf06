import { randomBytes } from "node:crypto";
import { applyChange } from "../../src/activities/apply-change.ts";
import { bookPayment } from "../../src/activities/book-payment.ts";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import {
  giveUpInvoice,
  mirrorInvoice,
  payInvoice,
  settleInvoice,
} from "../../src/activities/collect-invoice.ts";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import { endDunning, noteDunning, openDunning } from "../../src/activities/dunning-steps.ts";
import { issueCreditPurchase } from "../../src/activities/issue-credit-purchase.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { insertGrant } from "../../src/db/billing/credit-grants.ts";
import { setPaymentMethod, setStripeCustomer } from "../../src/db/billing/customer-payment.ts";
import { insertCustomer } from "../../src/db/billing/customers.ts";
import { findInvoice } from "../../src/db/billing/invoices.ts";
import { operationLog } from "../../src/db/billing/stripe-operations.ts";
import { insertTestClock, moveTestClock } from "../../src/db/billing/test-clocks.ts";
import { type Database, inTransaction } from "../../src/db/database.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { type Instant, instant, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import type { CreditGrantKind } from "../../src/domain/credits/index.ts";
import { invariant } from "../../src/domain/errors.ts";
import { startStripeSandbox } from "../../src/sandbox/stripe/index.ts";
import { createStripe, stripeRail } from "../../src/stripe/index.ts";
import type { TemporalGateway } from "../../src/temporal/gateway.ts";
import type { SubscriptionChange } from "../../src/workflows/messages.ts";
import { Adjusters, cents, gift } from "./adjusted-story.ts";
import { foldAll } from "./usage-fixture.ts";

/**
 * Two months of five customers, by activities and commands alone: every kind of invoice, line, grant, adjustment and entry
 * there is, with late usage that was corrected upwards and downwards, late usage that still waits, an early end, an amount
 * carried over, a balance applied, a purchase that was never paid, and adjustments that were agreed to, rejected,
 * withdrawn, and never decided.
 */
export async function tellBilledStory(db: Database) {
  const sandbox = await startStripeSandbox({ port: 0 });
  const stripe = createStripe({ apiKey: `sk_test_${randomBytes(12).toString("hex")}`, apiBase: sandbox.url });
  // Only subscriptions in dunning need the gateway, and here is none.
  const gateway = {} as TemporalGateway;
  const rail = stripeRail(stripe, operationLog(db));
  const story = new Story({ db, rail, gateway, now: () => instantOfEpochMs(Date.now()) });
  await story.begin();
  await story.january();
  await story.adjustments();
  await story.february();
  await story.unpaidPurchase();
  await story.at("2026-03-01T12:00:00Z");
  await foldAll(db);
  return { stripe, close: () => sandbox.close() };
}

const clockId = "story";

class Story {
  readonly #deps: ActivityDependencies;
  readonly #adjusters: Adjusters;
  #now = instant("2026-01-01T00:00:00Z");
  #events = 0;

  constructor(deps: ActivityDependencies) {
    this.#deps = deps;
    this.#adjusters = new Adjusters(deps.db);
  }

  get #db() {
    return this.#deps.db;
  }

  async at(time: string): Promise<void> {
    this.#now = instant(time);
    const move = { currentAt: this.#now, targetAt: this.#now, isSettled: true };
    await moveTestClock(this.#db.orm, clockId, move);
  }

  async begin(): Promise<void> {
    await inTransaction(this.#db, (tx) => publishCatalog(tx, parseCatalog(catalog)));
    await this.#adjusters.begin();
    await insertTestClock(this.#db.orm, clockId, this.#now);
    for (const [id, token] of [
      ["acme", "pm_card_visa"],
      ["bolt", "pm_card_chargeCustomerFail"],
      ["cedar", "pm_card_visa"],
      ["dune", "pm_card_visa"],
      ["elm", "pm_card_visa"],
    ] as const) {
      await insertCustomer(this.#db.orm, {
        id,
        name: id,
        email: `${id}@example.com`,
        currency: "usd",
        timeZone: "UTC",
        testClockId: clockId,
        createdAt: this.#now,
      });
      await this.#attachCard(id, token);
    }
  }

  /**
   * acme: seats, credits of both kinds and usage; cedar ends in mid-month; dune owes 20 cents, too little to charge; gifts
   * pay elm's 20 cents.
   */
  async january(): Promise<void> {
    await this.#subscribe("acme", "pro", 3);
    await this.#subscribe("cedar", "pro", 1);
    await this.#subscribe("dune", "metered", 1);
    await this.#subscribe("elm", "metered", 1);
    await this.#adjusters.ask("adj-promo", "acme", gift("promo", 100n));
    await this.#adjusters.ask("adj-gift", "elm", gift("gift", 30n));
    await this.#adjusters.ask("adj-apology", "elm", gift("apology", 12n, "goodwill"));
    await this.#adjust("adj-less", "gift", "promotional", -10n);
    await this.#buyCredits("prepaid", "acme", 300n);
    await this.#use("acme", "2026-01-10T10:30:00Z", 20_000);
    await this.#use("acme", "2026-01-20T10:30:00Z", 30_000);
    await this.#use("cedar", "2026-01-10T10:30:00Z", 1_111);
    await this.#use("dune", "2026-01-20T10:30:00Z", 200);
    await this.#use("elm", "2026-01-20T10:30:00Z", 200);
    await this.at("2026-01-16T12:00:00Z");
    await this.#change("cedar", "end", { kind: "cancel", credit: "unused" });
    await this.at("2026-01-16T13:00:00Z");
    await this.#close("cedar", "2026-01-01T00:00:00Z");
    await this.at("2026-02-01T01:00:00Z");
    for (const id of ["acme", "dune", "elm"]) await this.#close(id, "2026-01-01T00:00:00Z");
  }

  /** elm's grants are corrected, then voided; its balance is credited and debited, by one person or two. */
  async adjustments(): Promise<void> {
    const adjusters = this.#adjusters;
    await this.at("2026-02-05T00:00:00Z");
    await this.#buyCredits("bought", "elm", 500n);
    await this.#adjust("adj-more", "apology", "goodwill", 5n);
    await this.#adjust("adj-bought-less", "bought", "paid", -100n);
    await adjusters.ask("adj-debit", "elm", { kind: "debit_balance", change: cents(-50n) });
    for (const [grantId, grantKind] of [
      ["gift", "promotional"],
      ["apology", "goodwill"],
      ["bought", "paid"],
    ] as const) {
      await adjusters.ask(`adj-void-${grantId}`, "elm", { kind: "void_grant", grantId, grantKind });
    }
    await adjusters.ask("adj-credit", "elm", { kind: "credit_balance", change: cents(80n) }, "lead");
    for (const id of ["agreed", "rejected", "withdrawn", "undecided"]) {
      const correction = { kind: "credit_balance", change: cents(2_000n) } as const;
      await adjusters.ask(`adj-${id}`, "elm", correction, "lead");
    }
    await adjusters.decide("adj-agreed", "approved", "finance");
    await adjusters.decide("adj-rejected", "rejected", "finance");
    await adjusters.decide("adj-withdrawn", "withdrawn", "lead");
  }

  /**
   * acme gives seats back, which pays part of the next invoice; usage of January comes late, usage of February too. What
   * late usage takes off elm's January, which gifts had paid, is nobody's: the gifts are voided.
   */
  async february(): Promise<void> {
    await this.#use("acme", "2026-01-31T23:59:59Z", 7_777);
    await this.#use("acme", "2026-02-10T00:00:00Z", 40_000);
    await this.#use("dune", "2026-01-31T23:59:59Z", 1); // makes all of January cheaper
    await this.#use("dune", "2026-02-10T00:00:00Z", 19_000);
    await this.#use("elm", "2026-01-31T23:59:59Z", 1);
    await this.at("2026-02-15T00:00:00Z");
    await this.#change("acme", "fewer seats", { kind: "change_quantity", seats: 1 });
    await this.at("2026-03-01T01:00:00Z");
    for (const id of ["acme", "dune", "elm"]) await this.#close(id, "2026-02-01T00:00:00Z");
    await this.#use("acme", "2026-02-28T23:00:00Z", 50);
  }

  /** bolt's card is declined, dunning helps nothing, and the invoice is written off. */
  async unpaidPurchase(): Promise<void> {
    const invoiceId = await this.#buyCredits("unpaid", "bolt", 700n);
    await openDunning(this.#deps, { invoiceId, startedAt: isoOf(this.#now) });
    await noteDunning(this.#deps, {
      invoiceId,
      at: isoOf(this.#now),
      attempts: 1,
      state: "retrying",
      nextAt: isoOf(this.#now),
      why: "schedule",
      sayings: [],
    });
    await giveUpInvoice(this.#deps, { invoiceId, at: isoOf(this.#now) });
    const ended = { invoiceId, outcome: "exhausted", attempts: 1, sayings: [] } as const;
    await endDunning(this.#deps, { ...ended, at: isoOf(this.#now) });
    const invoice = await findInvoice(this.#db.orm, invoiceId);
    await bookPayment(this.#deps, invoice?.stripeInvoiceId ?? "", this.#now);
  }

  async #subscribe(customerId: string, planKey: string, seats: number): Promise<void> {
    const opened = await openSubscription(this.#db, {
      subscriptionId: `sub-${customerId}`,
      customerId,
      requestId: "open",
      at: isoOf(this.#now),
      items: [{ planKey, seats }],
    });
    if (opened.invoiceId !== null && opened.collect) await this.#collect(opened.invoiceId);
  }

  async #change(customerId: string, changeId: string, change: SubscriptionChange): Promise<void> {
    const at = isoOf(this.#now);
    const { invoiceId, collect } = await applyChange(this.#db, {
      subscriptionId: `sub-${customerId}`,
      changeId,
      at,
      change,
    });
    if (invoiceId !== null && collect) await this.#collect(invoiceId);
  }

  async #close(customerId: string, periodStart: string): Promise<void> {
    const at = isoOf(this.#now);
    const closed = await closePeriodOnce(
      this.#db,
      { subscriptionId: `sub-${customerId}`, periodStart, at },
      { usageWaitMsMax: 0 },
    );
    invariant(closed.outcome !== "waiting", "a close that must not wait does not");
    if (closed.invoiceId !== null && closed.collect) await this.#collect(closed.invoiceId);
  }

  async #adjust(id: string, grantId: string, grantKind: CreditGrantKind, amount: bigint): Promise<void> {
    await this.#adjusters.ask(id, "elm", { kind: "adjust_grant", grantId, grantKind, change: cents(amount) });
  }

  async #buyCredits(id: string, customerId: string, amountMinor: bigint): Promise<string> {
    const grant = grantOf(id, customerId, amountMinor, this.#now);
    await insertGrant(this.#db.orm, { ...grant, kind: "paid", invoiceId: `inv_${id}` });
    const { invoiceId } = await issueCreditPurchase(this.#db, { grantId: id, at: isoOf(this.#now) });
    await this.#collect(invoiceId);
    return invoiceId;
  }

  async #attachCard(customerId: string, paymentMethodToken: string): Promise<void> {
    const { rail, now } = this.#deps;
    const customer = { customerId, name: customerId, email: `${customerId}@example.com`, at: now() };
    const { stripeCustomerId } = await rail.ensureCustomer(customer);
    await setStripeCustomer(this.#db.orm, customerId, stripeCustomerId);
    const key = `customer/${customerId}/payment-method/card`;
    const card = { customerId, stripeCustomerId, paymentMethodToken, key, at: now() };
    const { stripePaymentMethodId: id, ...shown } = await rail.attachPaymentMethod(card);
    await setPaymentMethod(this.#db.orm, customerId, { id, ...shown });
  }

  async #collect(invoiceId: string): Promise<void> {
    const at = isoOf(this.#now);
    await mirrorInvoice(this.#deps, { invoiceId, at });
    await payInvoice(this.#deps, { invoiceId, attempt: 1, cause: "first", at });
    await settleInvoice(this.#deps, { invoiceId, at });
  }

  async #use(customerId: string, time: string, tokens: number): Promise<void> {
    const id = String(++this.#events);
    const event = { id, source: "story", customerId, type: "request", time: instant(time) };
    const sent = [{ ...event, data: { model: tokens % 2 === 0 ? "large" : "small", tokens } }];
    await ingestEvents(this.#db, sent, await publishedMeters(this.#db.orm));
  }
}

function grantOf(id: string, customerId: string, amountMinor: bigint, at: Instant) {
  const terms = { priority: 50, expiresAt: null, reason: "story", effectiveAt: at, createdAt: at };
  return { id, customerId, currency: "usd", amountMinor, ...terms };
}

const month = { unit: "month", count: 1 };

const catalog = {
  meters: [
    { key: "tokens", eventType: "request", aggregation: "sum", property: "tokens", dimensions: ["model"] },
    { key: "longest", eventType: "request", aggregation: "max", property: "tokens" },
  ],
  plans: [
    {
      key: "pro",
      name: "Pro",
      currency: "usd",
      interval: month,
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
          key: "support",
          type: "flat",
          name: "Support",
          product: "support",
          timing: "in_arrears",
          amountMinor: "500",
        },
        {
          key: "seats",
          type: "seat",
          name: "Seats",
          product: "seats",
          timing: "in_advance",
          unitAmountMinor: "3000",
          includedSeats: 0,
        },
        usagePrice("large", "tokens", { model: "large" }, "0.0123"),
        usagePrice("small", "tokens", { model: "small" }, "0.0071"),
        usagePrice("peak", "longest", {}, "0.00001"),
      ],
    },
    {
      key: "metered",
      name: "Metered",
      currency: "usd",
      interval: month,
      graceSeconds: 3600,
      prices: [
        {
          ...usagePrice("tokens", "tokens", {}, "0.1"),
          model: {
            type: "volume",
            tiers: [
              { upTo: "200", unitPriceMinor: "0.1" },
              { upTo: null, unitPriceMinor: "0.05" },
            ],
          },
        },
      ],
    },
  ],
};

function usagePrice(key: string, meter: string, where: Record<string, string>, unitPriceMinor: string) {
  const model = { type: "per_unit", unitPriceMinor };
  return {
    key,
    type: "usage",
    name: key,
    product: key,
    meter,
    where,
    unitLabel: "token",
    model,
    included: "0",
  };
}
