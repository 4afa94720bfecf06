import { applyScheduled } from "../../src/activities/apply-scheduled.ts";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import {
  endSubscription,
  scheduleCancellation,
  scheduleChange,
} from "../../src/activities/schedule-change.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import type { ThoughtOfChange } from "../../src/db/billing/foreseen-change.ts";
import { foreseenInvoices } from "../../src/db/billing/foreseen-invoices.ts";
import { findInvoice, lineOfRow, linesOfInvoice } from "../../src/db/billing/invoices.ts";
import { pendingChanges } from "../../src/db/billing/scheduled-changes.ts";
import { findSubscription, subscriptionsOfCustomer } from "../../src/db/billing/subscriptions.ts";
import { insertTestClock, moveTestClock } from "../../src/db/billing/test-clocks.ts";
import { type UpcomingPeriod, upcomingInvoice } from "../../src/db/billing/upcoming-invoice.ts";
import { type Database, inSnapshot, inTransaction, openDatabase } from "../../src/db/database.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { type Instant, instant, isoOf } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import type { InvoiceLine } from "../../src/domain/invoicing/index.ts";
import type { SubscriptionChange, UnusedCharges } from "../../src/workflows/messages.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { Adjusters, gift } from "./adjusted-story.ts";
import { foreseenCatalog } from "./foreseen-catalog.ts";
import { addCustomer } from "./usage-fixture.ts";

/** Customers whose coming invoices are foreseen on the first of January, and who are then taken through time as their runs would. */
export class ForeseenStory {
  readonly db: Database;
  readonly #drop: () => Promise<void>;
  readonly #adjusters: Adjusters;
  #events = 0;

  private constructor(db: Database, drop: () => Promise<void>) {
    this.db = db;
    this.#drop = drop;
    this.#adjusters = new Adjusters(db);
  }

  static async begin(): Promise<ForeseenStory> {
    const { appUrl, drop } = await cloneDatabase();
    const db = openDatabase({ url: appUrl, poolSize: 4 });
    await inTransaction(db, (tx) => publishCatalog(tx, parseCatalog(foreseenCatalog)));
    const story = new ForeseenStory(db, drop);
    await story.#adjusters.begin();
    return story;
  }

  async end(): Promise<void> {
    await this.db.close();
    await this.#drop();
  }

  /** A customer with so many cents of credit. */
  async customer(id: string, credit = 0n): Promise<void> {
    await insertTestClock(this.db.orm, id, instant("2026-01-01T00:00:00Z"));
    await addCustomer(this.db, id, id);
    if (credit > 0n) await this.#adjusters.ask(`gift-${id}`, id, gift(`grant-${id}`, credit));
  }

  async subscribe(customerId: string, id: string, planKey: string, at: string): Promise<void> {
    await this.#at(customerId, at);
    await openSubscription(this.db, {
      ...{ subscriptionId: id, customerId, requestId: "open", at },
      items: [{ planKey, seats: 2 }],
    });
  }

  async use(customerId: string, time: string, type: string, units: number): Promise<void> {
    const id = `event-${++this.#events}`;
    const event = { id, source: "test", customerId, type, time: instant(time), data: { units } };
    await ingestEvents(this.db, [event], await publishedMeters(this.db.orm));
  }

  async agree(id: string, at: string, effectiveAt: string, change: SubscriptionChange): Promise<void> {
    const changeId = `change-${++this.#events}`;
    await scheduleChange(this.db, { subscriptionId: id, changeId, at, effectiveAt, change });
  }

  async agreeEnd(id: string, at: string, cancelAt: string, credit: UnusedCharges): Promise<void> {
    const changeId = `end-${++this.#events}`;
    await scheduleCancellation(this.db, { subscriptionId: id, changeId, at, cancelAt, credit });
  }

  /** Null when nothing comes. */
  async foreseen(id: string, now: string, which: UpcomingPeriod): Promise<readonly string[] | null> {
    const row = await this.#row(id);
    const said = await inSnapshot(this.db, (tx) => upcomingInvoice(tx, row, instant(now), which));
    return said && told(said.lines, said);
  }

  /** Every invoice until two periods are closed, as if changes were asked for; those that say something. */
  async foreseenWith(id: string, now: string, changes: readonly ThoughtOfChange[]): Promise<Told[]> {
    const row = await this.#row(id);
    const asked = { now: instant(now), changes, periods: 2 };
    const issues = await inSnapshot(this.db, (tx) => foreseenInvoices(tx, row, asked));
    const invoices = issues.flatMap((issue) => {
      if (issue.kind === "change") {
        return issue.invoice === null ? [] : [told(issue.invoice.lines, issue.invoice.totals)];
      }
      const { parts, totals } = issue.closing.closed;
      const lines = parts.flatMap((part) => part.lines);
      return [told(lines, totals)];
    });
    return invoices.filter(isSaying);
  }

  /** The invoices of a subscription that were issued after an instant, the oldest first; those that say something. */
  async issuedAfter(id: string, since: string): Promise<Told[]> {
    const found = await this.db.sql<{ id: string }[]>`
      select id from billing.invoice where subscription_id = ${id} and issued_at > ${since} order by issued_at, id`;
    const invoices: Told[] = [];
    for (const invoice of found) invoices.push(await this.#told(invoice.id));
    return invoices.filter(isSaying);
  }

  async #row(id: string) {
    const row = await findSubscription(this.db.orm, id);
    if (row === undefined) throw new Error(`there is no subscription ${id}`);
    return row;
  }

  async #told(invoiceId: string): Promise<Told> {
    const lines = await linesOfInvoice(this.db.orm, invoiceId);
    const invoice = await findInvoice(this.db.orm, invoiceId);
    if (invoice === undefined) throw new Error(`there is no invoice ${invoiceId}`);
    const of = (amountMinor: bigint) => ({ amountMinor });
    return told(
      lines.map((line) => lineOfRow(line, invoice.currency)),
      {
        creditsApplied: of(invoice.creditsAppliedMinor),
        balanceApplied: of(invoice.balanceAppliedMinor),
        total: of(invoice.totalMinor),
      },
    );
  }

  /** Takes a customer on until so many periods of the subscription are closed; answers with their invoices, null where none comes. */
  async closings(customerId: string, id: string, count: number): Promise<(readonly string[] | null)[]> {
    const invoices: (readonly string[] | null)[] = [];
    while (invoices.length < count) {
      const step = await this.#nextStep(customerId, id);
      if (step === null) return [...invoices, ...Array(count - invoices.length).fill(null)];
      await this.#at(customerId, isoOf(step.at));
      const input = { subscriptionId: step.id, at: isoOf(step.at) };
      if (step.kind === "end") await endSubscription(this.db, input);
      else if (step.kind === "change") await applyScheduled(this.db, input);
      else {
        const issued = await this.#close(step.id, input.at);
        if (step.id === id) invoices.push(issued);
      }
    }
    return invoices;
  }

  /** Of one instant an end comes first, then what was agreed, then closings in the order of their subscriptions. */
  async #nextStep(customerId: string, id: string) {
    const steps: { readonly at: Instant; readonly rank: number; readonly id: string; readonly kind: Kind }[] =
      [];
    for (const row of await subscriptionsOfCustomer(this.db.orm, customerId)) {
      if (row.nextCloseAt === null) continue;
      const [change] = await pendingChanges(this.db.orm, row.id);
      const isOpen = row.status !== "canceled";
      if (isOpen && row.cancelAt !== null) steps.push({ at: row.cancelAt, rank: 0, id: row.id, kind: "end" });
      if (isOpen && change) steps.push({ at: change.effectiveAt, rank: 1, id: row.id, kind: "change" });
      steps.push({ at: row.nextCloseAt, rank: 2, id: row.id, kind: "close" });
    }
    if (!steps.some((step) => step.id === id)) return null;
    return (
      steps.toSorted(
        (one, other) => one.at - other.at || one.rank - other.rank || (one.id < other.id ? -1 : 1),
      )[0] ?? null
    );
  }

  async #close(id: string, at: string): Promise<readonly string[]> {
    const row = await findSubscription(this.db.orm, id);
    const periodStart = isoOf(row?.billedThrough ?? instant(at));
    const closed = await closePeriodOnce(
      this.db,
      { subscriptionId: id, periodStart, at },
      { usageWaitMsMax: 0 },
    );
    if (closed.outcome === "waiting") throw new Error("nothing is waited for");
    if (closed.invoiceId === null) return ["credits 0, balance 0, total 0"];
    return await this.#told(closed.invoiceId);
  }

  async #at(clockId: string, time: string): Promise<void> {
    const now = instant(time);
    await moveTestClock(this.db.orm, clockId, { currentAt: now, targetAt: now, isSettled: true });
  }
}

type Kind = "end" | "change" | "close";

/** Its lines, and what they add up to. */
type Told = readonly string[];
type Amount = { readonly amountMinor: bigint };

function told(
  lines: readonly InvoiceLine[],
  totals: { readonly creditsApplied: Amount; readonly balanceApplied: Amount; readonly total: Amount },
): Told {
  const { creditsApplied, balanceApplied, total } = totals;
  return [
    ...lines.map(({ kind, source, period, amount }) =>
      [
        kind,
        ...[source?.planKey, source?.priceKey, isoOf(period.start), isoOf(period.end)],
        amount.amountMinor,
      ].join(" "),
    ),
    `credits ${creditsApplied.amountMinor}, balance ${balanceApplied.amountMinor}, total ${total.amountMinor}`,
  ];
}

/** A period without anything to bill has no invoice. */
const isSaying = (invoice: Told) => invoice.length > 1;
