import { randomBytes } from "node:crypto";
import { closePeriodOnce } from "../../../src/activities/close-period.ts";
import { mirrorInvoice, payInvoice, settleInvoice } from "../../../src/activities/collect-invoice.ts";
import { openSubscription } from "../../../src/activities/open-subscription.ts";
import { publishCatalog } from "../../../src/db/billing/catalog.ts";
import { setPaymentMethod, setStripeCustomer } from "../../../src/db/billing/customer-payment.ts";
import { insertCustomer } from "../../../src/db/billing/customers.ts";
import { operationLog } from "../../../src/db/billing/stripe-operations.ts";
import { insertTestClock, moveTestClock } from "../../../src/db/billing/test-clocks.ts";
import { type Database, inTransaction } from "../../../src/db/database.ts";
import { publishedMeters } from "../../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../../src/db/usage/usage-ingest.ts";
import { instant, instantOfEpochMs } from "../../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../../src/domain/catalog/index.ts";
import { startStripeSandbox } from "../../../src/sandbox/stripe/index.ts";
import { createStripe, stripeRail } from "../../../src/stripe/index.ts";
import type { TemporalGateway } from "../../../src/temporal/gateway.ts";

/** Customers on a plan with a base fee, seats and tokens, billed by the activities on the database of a test's API. */
export class BilledCustomers {
  readonly #db: Database;
  #events = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  async publish(): Promise<void> {
    await inTransaction(this.#db, (tx) => publishCatalog(tx, parseCatalog(catalog)));
  }

  /** From the first of January on, Berlin time, with three seats. Gives the invoice of its activation. */
  async subscribe(id: string, planKey = "pro"): Promise<string> {
    const createdAt = instant("2025-12-31T23:00:00Z");
    await insertTestClock(this.#db.orm, id, createdAt);
    const terms = { currency: "usd", timeZone: "Europe/Berlin", testClockId: id, createdAt };
    await insertCustomer(this.#db.orm, {
      id,
      name: `${id} <Robotics> & Co`,
      email: `${id}@example.com`,
      ...terms,
    });
    const opened = await openSubscription(this.#db, {
      subscriptionId: id,
      customerId: id,
      requestId: "open",
      at: "2025-12-31T23:00:00Z",
      items: [{ planKey, seats: 3 }],
    });
    return opened.invoiceId ?? "";
  }

  async use(customerId: string, time: string, tokens: number): Promise<void> {
    const event = {
      id: `${++this.#events}`,
      source: "test",
      customerId,
      type: "request",
      time: instant(time),
    };
    await ingestEvents(this.#db, [{ ...event, data: { tokens } }], await publishedMeters(this.#db.orm));
  }

  async clockAt(id: string, at: string): Promise<void> {
    const now = instant(at);
    await moveTestClock(this.#db.orm, id, { currentAt: now, targetAt: now, isSettled: true });
  }

  /** Closes January. Gives its invoice. */
  async close(id: string): Promise<string> {
    const at = "2026-02-01T01:00:00Z";
    await this.clockAt(id, at);
    const input = { subscriptionId: id, periodStart: "2025-12-31T23:00:00Z", at };
    const closed = await closePeriodOnce(this.#db, input, { usageWaitMsMax: 0 });
    return closed.outcome === "waiting" ? "" : (closed.invoiceId ?? "");
  }

  /** Has an invoice paid by card, at the stand-in for Stripe. */
  async pay(customerId: string, invoiceId: string): Promise<void> {
    const sandbox = await startStripeSandbox({ port: 0 });
    const apiKey = `sk_test_${randomBytes(12).toString("hex")}`;
    const rail = stripeRail(createStripe({ apiKey, apiBase: sandbox.url }), operationLog(this.#db));
    const now = () => instantOfEpochMs(Date.now());
    const deps = { db: this.#db, rail, gateway: {} as TemporalGateway, now };
    const customer = { customerId, name: customerId, email: `${customerId}@example.com`, at: now() };
    const { stripeCustomerId } = await rail.ensureCustomer(customer);
    await setStripeCustomer(this.#db.orm, customerId, stripeCustomerId);
    const key = `customer/${customerId}/payment-method/card`;
    const card = { customerId, stripeCustomerId, paymentMethodToken: "pm_card_visa", key, at: now() };
    const { stripePaymentMethodId: id, ...shown } = await rail.attachPaymentMethod(card);
    await setPaymentMethod(this.#db.orm, customerId, { id, ...shown });
    const at = "2026-02-01T02:00:00.000Z";
    await mirrorInvoice(deps, { invoiceId, at });
    await payInvoice(deps, { invoiceId, attempt: 1, cause: "first", at });
    await settleInvoice(deps, { invoiceId, at });
    await sandbox.close();
  }
}

const product = (key: string) => ({ key, name: key[0]?.toUpperCase() + key.slice(1), product: key });

const month = { unit: "month", count: 1 };

const catalog = {
  meters: [{ key: "tokens", eventType: "request", aggregation: "sum", property: "tokens" }],
  plans: [
    {
      key: "enterprise",
      name: "Enterprise",
      currency: "usd",
      interval: month,
      graceSeconds: 3600,
      prices: [{ ...product("base"), type: "flat", timing: "in_advance", amountMinor: "100000" }],
    },
    {
      key: "pro",
      name: "Team Pro",
      currency: "usd",
      interval: month,
      graceSeconds: 3600,
      prices: [
        { ...product("base"), type: "flat", timing: "in_advance", amountMinor: "2000" },
        {
          ...product("seats"),
          type: "seat",
          timing: "in_advance",
          unitAmountMinor: "1500",
          includedSeats: 0,
        },
        {
          ...product("tokens"),
          type: "usage",
          meter: "tokens",
          unitLabel: "tokens",
          included: "1000",
          model: {
            type: "graduated",
            tiers: [
              { upTo: "10000", unitPriceMinor: "0.02", flatMinor: "0" },
              { upTo: null, unitPriceMinor: "0.01", flatMinor: "50" },
            ],
          },
        },
      ],
    },
  ],
};
