import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { keepUpAllGrants } from "../../src/activities/keep-up-grants.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { recurringGrantCommands } from "../../src/api/commands/recurring-grant-commands.ts";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { insertCustomer } from "../../src/db/billing/customers.ts";
import { insertTestClock, moveTestClock } from "../../src/db/billing/test-clocks.ts";
import { type Database, inTransaction } from "../../src/db/database.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { type Instant, instant, instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import type { GrantScope, RecurringGrant } from "../../src/domain/credits/index.ts";
import { currency, money } from "../../src/domain/money/index.ts";
import { buyCredit } from "../api/support/paid-credit.ts";
import { expectInvariants } from "../support/invariants.ts";
import { Adjusters, cents } from "./adjusted-story.ts";

const usd = currency("usd");
const clockId = "credit";

/** Customers of a metered plan, `large` and `small` at a cent each, with credit of every kind; one clock for all of them. */
export class CreditStory {
  readonly db: Database;
  readonly adjusters: Adjusters;
  #now = instant("2026-01-01T00:00:00Z");
  #events = 0;

  constructor(db: Database) {
    this.db = db;
    this.adjusters = new Adjusters(db);
  }

  async begin(): Promise<void> {
    await inTransaction(this.db, (tx) => publishCatalog(tx, parseCatalog(catalog)));
    await this.adjusters.begin();
    await insertTestClock(this.db.orm, clockId, this.#now);
  }

  /** Moves the clock, and lets a worker do what is due. */
  async at(time: string): Promise<void> {
    this.#now = instant(time);
    const move = { currentAt: this.#now, targetAt: this.#now, isSettled: true };
    await moveTestClock(this.db.orm, clockId, move);
    await keepUpAllGrants(this.db, instantOfEpochMs(Date.now()));
  }

  /** Subscribed at once. */
  async customer(id: string): Promise<void> {
    await insertCustomer(this.db.orm, {
      ...{ id, name: id, email: `${id}@example.com`, currency: "usd", timeZone: "UTC" },
      ...{ testClockId: clockId, createdAt: this.#now },
    });
    await openSubscription(this.db, {
      subscriptionId: `sub-${id}`,
      customerId: id,
      requestId: "open",
      at: isoOf(this.#now),
      items: [{ planKey: "metered", seats: 1 }],
    });
  }

  async use(
    customerId: string,
    time: string,
    model: "large" | "small" | "volume",
    tokens: number,
  ): Promise<void> {
    const event = { id: String(++this.#events), source: "credit", customerId, type: "request" };
    const sent = [{ ...event, time: instant(time), data: { model, tokens } }];
    await ingestEvents(this.db, sent, await publishedMeters(this.db.orm));
  }

  /** Closes the period of a month, when its grace is over. @returns what is to be paid in money, in cents */
  async close(customerId: string, month: string): Promise<string> {
    const periodStart = `${month}-01T00:00:00Z`;
    const at = isoOf(this.#now);
    const input = { subscriptionId: `sub-${customerId}`, periodStart, at };
    const closed = await closePeriodOnce(this.db, input, { usageWaitMsMax: 0 });
    if (closed.outcome === "waiting" || closed.invoiceId === null) return "0";
    const [invoice] = await this.db.sql<{ due: string }[]>`
      select (subtotal_minor - credits_applied_minor)::text as due from billing.invoice where id = ${closed.invoiceId}`;
    return invoice?.due ?? "0";
  }

  /** Given by a promotion, in cents. */
  async gift(id: string, customerId: string, amount: bigint, terms: object = {}): Promise<void> {
    await this.adjusters.ask(`adj-${id}`, customerId, {
      kind: "grant_credit",
      grantId: id,
      grantKind: "promotional",
      change: cents(amount),
      priority: 50,
      expiresAt: null,
      ...terms,
    });
  }

  /** Bought; the invoice is paid as if the money had come. */
  async buy(
    grantId: string,
    customerId: string,
    amountMinor: bigint,
    terms: { readonly expiresAt?: Instant; readonly scope?: GrantScope } = {},
  ): Promise<void> {
    await buyCredit(this.db, { grantId, customerId, amountMinor, at: this.#now, ...terms });
  }

  async recurring(
    id: string,
    customerId: string,
    amount: bigint,
    over: Partial<RecurringGrant> & { readonly expiresAt?: string } = {},
  ): Promise<void> {
    const { expiresAt = "2026-07-01T00:00:00Z", ...terms } = over;
    const anchor = { at: this.#now, interval: { unit: "month", count: 1 } as const, timeZone: "UTC" };
    const grant: RecurringGrant = {
      id,
      amount: cents(amount),
      priority: 50,
      recurrence: { anchor, effectiveAt: this.#now, expiresAt: instant(expiresAt), first: "at_once" },
      rollover: null,
      ...terms,
    };
    const request = { customerId, currency: usd, grant, reasonCode: "contract", reason: null } as const;
    await this.recurringCommands.request(request, { correlationId: "credit", actor: "api-key/support" });
    await keepUpAllGrants(this.db, instantOfEpochMs(Date.now()));
  }

  get recurringCommands() {
    return recurringGrantCommands({
      db: this.db,
      now: () => instantOfEpochMs(Date.now()),
      approvalLimits: new Map([[usd, money(1_000n, usd)]]),
    });
  }

  /** "id remaining/amount" of each of a customer's grants, in cents, by id; those that have ended are marked. */
  async grants(customerId: string): Promise<string[]> {
    const rows = await this.db.sql<{ text: string }[]>`
      select concat(credit.id, ' ', trim_scale(coalesce(balance.balance, 0) / 1e8), '/',
        trim_scale((credit.amount_minor * 100000000::numeric + credit.amount_fraction) / 1e8), case when ended.grant_id is not null then ' ended' end) as text
      from billing.credit_grant as credit
      left join ledger.balance on balance.dimensions ->> 'grant' = credit.id and balance.code in ('2000', '2010')
      left join billing.credit_grant_end as ended on ended.grant_id = credit.id
      where credit.customer_id = ${customerId} order by credit.id`;
    return rows.map(({ text }) => text);
  }

  /** "grant amount of product" of each draw of a customer, in the order in which they were made. */
  async draws(customerId: string): Promise<string[]> {
    const rows = await this.db.sql<{ text: string }[]>`
      select concat(draw.grant_id, ' ', trim_scale(draw.amount / 1e8), ' of ', line.product) as text
      from billing.credit_draw as draw join billing.invoice_line as line using (invoice_id, line)
      join billing.invoice as invoice on invoice.id = draw.invoice_id
      where invoice.customer_id = ${customerId} order by draw.drawn_at, draw.invoice_id, draw.position`;
    return rows.map(({ text }) => text);
  }

  /** "grant amount to place" of what went back. */
  async returns(customerId: string): Promise<string[]> {
    const rows = await this.db.sql<{ text: string }[]>`
      select concat(draw.grant_id, ' ', trim_scale(returned.amount / 1e8), ' to ', returned.returned_to) as text
      from billing.credit_return as returned join billing.credit_draw as draw using (invoice_id, position)
      join billing.invoice as invoice on invoice.id = draw.invoice_id
      where invoice.customer_id = ${customerId} order by returned.returned_at, draw.position desc`;
    return rows.map(({ text }) => text);
  }

  /** The kinds and accounts of what was booked for a customer's grants, with cents. */
  async booked(customerId: string, kind: string): Promise<string[]> {
    const rows = await this.db.sql<{ text: string }[]>`
      select concat(debited.code, ' → ', credited.code, ' ', trim_scale(posting.amount / 1e8)) as text
      from ledger.journal_entry as entry join ledger.posting as posting on posting.entry_id = entry.id
      join ledger.account as debited on debited.id = posting.debit_account
      join ledger.account as credited on credited.id = posting.credit_account
      where entry.customer_id = ${customerId} and entry.kind = ${kind} order by entry.id, posting.line`;
    return rows.map(({ text }) => text);
  }

  /** Nothing here is collected, so that what is issued stays uncharged breaks nothing. */
  async expectInvariants(): Promise<void> {
    await expectInvariants(this.db, { limits: { billing: 3_650 * 86_400 } });
  }
}

/** In cents. */
export const rollover = (
  min: bigint,
  max: bigint,
  cap: bigint | null = null,
  lifetimeMonths: number | null = null,
) => ({
  rollover: { min: cents(min), max: cents(max), cap: cap === null ? null : cents(cap), lifetimeMonths },
});

const price = (key: string, model: object) => ({
  ...{
    key,
    type: "usage",
    name: key,
    product: key,
    meter: "tokens",
    where: { model: key },
    unitLabel: "token",
  },
  ...{ model, included: "0" },
});

const catalog = {
  meters: [
    { key: "tokens", eventType: "request", aggregation: "sum", property: "tokens", dimensions: ["model"] },
  ],
  features: [{ key: "fast_models", name: "Fast models", type: "boolean" }],
  plans: [
    {
      key: "metered",
      name: "Metered",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      graceSeconds: 3600,
      prices: [
        price("large", { type: "per_unit", unitPriceMinor: "1" }),
        { ...price("small", { type: "per_unit", unitPriceMinor: "0.3" }), feature: "fast_models" },
        price("volume", {
          type: "volume",
          tiers: [
            { upTo: "100", unitPriceMinor: "1" },
            { upTo: null, unitPriceMinor: "0.5" },
          ],
        }),
      ],
    },
  ],
};
