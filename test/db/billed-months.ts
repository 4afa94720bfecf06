import { applyChange } from "../../src/activities/apply-change.ts";
import { billThreshold } from "../../src/activities/bill-threshold.ts";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { findInvoice, linesOfInvoice } from "../../src/db/billing/invoices.ts";
import { keepAgreement } from "../../src/db/billing/price-agreements.ts";
import { insertTestClock, moveTestClock } from "../../src/db/billing/test-clocks.ts";
import { type Database, inTransaction, openDatabase } from "../../src/db/database.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { type PriceOverride, parseCatalog } from "../../src/domain/catalog/index.ts";
import { minorText } from "../../src/domain/money/index.ts";
import type { SubscriptionChange } from "../../src/workflows/messages.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { Adjusters, gift } from "./adjusted-story.ts";
import { addCustomer } from "./usage-fixture.ts";

/** The months of 2026 of customers, each on a clock of its own, by the activities that bill them, on a database of its own. */
export class BilledMonths {
  readonly db: Database;
  readonly appUrl: string;
  readonly #end: () => Promise<void>;
  readonly #adjusters: Adjusters;
  #events = 0;

  private constructor(db: Database, appUrl: string, end: () => Promise<void>) {
    this.db = db;
    this.appUrl = appUrl;
    this.#end = end;
    this.#adjusters = new Adjusters(db);
  }

  static async begin(catalog: unknown): Promise<BilledMonths> {
    const { appUrl, drop } = await cloneDatabase();
    const db = openDatabase({ url: appUrl, poolSize: 4 });
    const months = new BilledMonths(db, appUrl, async () => {
      await db.close();
      await drop();
    });
    await inTransaction(db, (tx) => publishCatalog(tx, parseCatalog(catalog)));
    await months.#adjusters.begin();
    return months;
  }

  async end(): Promise<void> {
    await this.#end();
  }

  /** Subscribes a new customer on the first of January; the subscription has the customer's name. */
  async subscribe(
    customerId: string,
    planKey: string,
    overrides?: readonly PriceOverride[],
  ): Promise<string[]> {
    await insertTestClock(this.db.orm, customerId, instant("2026-01-01T00:00:00Z"));
    await addCustomer(this.db, customerId, customerId);
    const agreement = overrides && (await keepAgreement(this.db.orm, overrides));
    const item = { planKey, seats: 1, ...(agreement === undefined ? {} : { agreement }) };
    const opened = await openSubscription(this.db, {
      subscriptionId: customerId,
      customerId,
      requestId: "open",
      at: "2026-01-01T00:00:00Z",
      items: [item],
    });
    return await this.lines(opened.invoiceId);
  }

  /** A promotional grant of so many cents. */
  async give(customerId: string, cents: bigint): Promise<void> {
    await this.#adjusters.ask(`gift-${customerId}`, customerId, gift(`grant-${customerId}`, cents));
  }

  async use(customerId: string, time: string, tokens: number, model = "deep"): Promise<void> {
    const event = {
      id: `event-${++this.#events}`,
      source: "test",
      customerId,
      type: "request",
      time: instant(time),
      data: { tokens, model },
    };
    await ingestEvents(this.db, [event], await publishedMeters(this.db.orm));
  }

  async change(customerId: string, at: string, change: SubscriptionChange): Promise<string[]> {
    await this.#at(customerId, at);
    const changeId = `change-${at}`;
    const applied = await applyChange(this.db, { subscriptionId: customerId, changeId, at, change });
    return await this.lines(applied.invoiceId);
  }

  /** Closes the month that begins then, an hour after its end; answers with the lines of its invoice. */
  async close(customerId: string, start: string, end: string): Promise<string[]> {
    await this.#at(customerId, `${end}T01:00:00Z`);
    const closed = await closePeriodOnce(
      this.db,
      { subscriptionId: customerId, periodStart: `${start}T00:00:00Z`, at: `${end}T01:00:00Z` },
      { usageWaitMsMax: 0 },
    );
    return closed.outcome === "waiting" ? ["waiting"] : await this.lines(closed.invoiceId);
  }

  /** Bills the current month if it has reached a threshold; answers with the lines of that invoice. */
  async threshold(customerId: string, at: string): Promise<string[]> {
    await this.#at(customerId, at);
    const billed = await billThreshold(this.db, { subscriptionId: customerId, at });
    return await this.lines(billed.invoiceId);
  }

  /** "kind price cents" of each line, then what became of them: "total", with credits and balance where there are. */
  async lines(invoiceId: string | null): Promise<string[]> {
    if (invoiceId === null) return [];
    const lines = await linesOfInvoice(this.db.orm, invoiceId);
    const invoice = await findInvoice(this.db.orm, invoiceId);
    const paid = [
      ["credits", invoice?.creditsAppliedMinor],
      ["balance", invoice?.balanceAppliedMinor],
    ].flatMap(([what, amount]) => (amount ? [`${what} ${-amount}`] : []));
    return [
      ...lines.map(({ kind, priceKey, amountMinor }) => `${kind} ${priceKey ?? "-"} ${amountMinor}`),
      ...paid,
      `total ${invoice?.totalMinor}`,
    ];
  }

  /** What products earned in all, in minor units; revenue that is not there is left out. */
  async revenue(): Promise<Record<string, string>> {
    const found = await this.db.sql<{ product: string; amount: bigint }[]>`
      select dimensions ->> 'product' as product, sum(balance)::numeric::text::numeric as amount
      from ledger.balance where code in ('4000', '4010') group by 1 having sum(balance) <> 0 order by 1`;
    return Object.fromEntries(
      found.map(({ product, amount }) => [
        product,
        minorText(BigInt(amount) as Parameters<typeof minorText>[0]),
      ]),
    );
  }

  async #at(clockId: string, time: string): Promise<void> {
    const now = instant(time);
    await moveTestClock(this.db.orm, clockId, { currentAt: now, targetAt: now, isSettled: true });
  }
}
