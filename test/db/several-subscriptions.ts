import { applyChange } from "../../src/activities/apply-change.ts";
import { closePeriodOnce, type PeriodOutcome } from "../../src/activities/close-period.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { chooseInvoicing } from "../../src/db/billing/customer-invoicing.ts";
import { partsOfInvoice } from "../../src/db/billing/invoice-parts.ts";
import { findInvoice, linesOfInvoice } from "../../src/db/billing/invoices.ts";
import { lockCustomer } from "../../src/db/billing/subscriptions.ts";
import { type Database, inTransaction } from "../../src/db/database.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import type { Invoicing } from "../../src/domain/invoicing/index.ts";
import type { SubscriptionChange } from "../../src/workflows/messages.ts";
import { addCustomer } from "./usage-fixture.ts";

/** Customers with several subscriptions on plans whose months all end with the calendar's, by the activities that bill them. */
export class SeveralSubscriptions {
  readonly db: Database;
  #events = 0;

  constructor(db: Database) {
    this.db = db;
  }

  async begin(): Promise<void> {
    await inTransaction(this.db, (tx) => publishCatalog(tx, parseCatalog(catalog)));
  }

  async customer(customerId: string): Promise<void> {
    await addCustomer(this.db, customerId);
  }

  async choose(customerId: string, invoicing: Invoicing, at: string): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      await lockCustomer(tx, customerId);
      await chooseInvoicing(tx, customerId, { invoicing, effectiveAt: instant(at), chosenBy: "alice" });
    });
  }

  /** The subscription is called after the customer and the plan; answers with the lines of its first invoice. */
  async subscribe(customerId: string, planKey: string, at = "2026-01-01T00:00:00Z"): Promise<string[]> {
    const opened = await openSubscription(this.db, {
      subscriptionId: `${customerId}-${planKey}`,
      customerId,
      requestId: "open",
      at,
      items: [{ planKey, seats: 1 }],
    });
    return await this.lines(opened.invoiceId);
  }

  /** Answers with the event's id. */
  async use(customerId: string, type: "call" | "store", time: string, quantity: number): Promise<string> {
    const event = {
      id: `${customerId}-${++this.#events}`,
      source: "test",
      customerId,
      type,
      time: instant(time),
      data: { quantity },
    };
    await ingestEvents(this.db, [event], await publishedMeters(this.db.orm));
    return event.id;
  }

  async change(subscriptionId: string, at: string, change: SubscriptionChange): Promise<void> {
    await applyChange(this.db, { subscriptionId, changeId: `change-${at}`, at, change });
  }

  async close(subscriptionId: string, periodStart: string, at: string): Promise<PeriodOutcome> {
    return await closePeriodOnce(this.db, { subscriptionId, periodStart, at }, { usageWaitMsMax: 0 });
  }

  /** "plan: kind price cents" of each line, then what became of them. */
  async lines(invoiceId: string | null): Promise<string[]> {
    if (invoiceId === null) return [];
    const { orm } = this.db;
    const parts = await partsOfInvoice(orm, invoiceId);
    const said = (await linesOfInvoice(orm, invoiceId)).map(({ part, kind, priceKey, amountMinor }) => {
      const of = parts[part - 1]?.subscriptionId?.split("-").at(-1) ?? "nobody";
      return `${of}: ${kind} ${priceKey ?? "-"} ${amountMinor}`;
    });
    const invoice = await findInvoice(orm, invoiceId);
    const paid = [
      ["credits", invoice?.creditsAppliedMinor],
      ["balance", invoice?.balanceAppliedMinor],
    ].flatMap(([what, amount]) => (amount ? [`${what} ${-amount}`] : []));
    return [...said, ...paid, `total ${invoice?.totalMinor}`];
  }
}

const month = { interval: { unit: "month", count: 1 }, anchor: { type: "calendar" }, currency: "usd" };
const flat = (key: string, timing: "in_advance" | "in_arrears", amountMinor: string) => ({
  ...{ key, type: "flat", name: key, product: key, timing, amountMinor },
});
const usage = (key: string, meter: string, unitPriceMinor: string) => ({
  ...{ key, type: "usage", name: key, product: key, meter, where: {}, included: "0" },
  model: { type: "per_unit", unitPriceMinor },
});
const meter = (key: string, eventType: string) => ({
  ...{ key, eventType, aggregation: "sum", property: "quantity", dimensions: [] },
});

const catalog = {
  meters: [meter("calls", "call"), meter("bytes", "store")],
  plans: [
    {
      ...{ key: "api", name: "API", graceSeconds: 3600, ...month },
      prices: [flat("base", "in_advance", "2000"), usage("calls", "calls", "1")],
    },
    {
      ...{ key: "storage", name: "Storage", graceSeconds: 7200, rounding: "net", ...month },
      prices: [usage("bytes", "bytes", "0.5")],
    },
    {
      ...{ key: "support", name: "Support", graceSeconds: 0, ...month },
      prices: [flat("hours", "in_arrears", "310")],
    },
    {
      ...{ key: "weekly", name: "Weekly", graceSeconds: 0, ...month },
      interval: { unit: "week", count: 1 },
      prices: [flat("week", "in_arrears", "700")],
    },
  ],
};
