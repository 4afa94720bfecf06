import type { Instant } from "../../domain/calendar/index.ts";
import {
  type AddedUpInvoice,
  addUpInvoice,
  type ClosedTogether,
  carriedOnce,
  closeTogether,
  type InvoiceLine,
  invoicingOf,
  meansLeft,
  moneyLeft,
} from "../../domain/invoicing/index.ts";
import { SubscriptionRefusal } from "../../domain/lifecycle/index.ts";
import { sumMoney } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import {
  type AgreedPeriod,
  agreedBy,
  endsAt,
  inOrder as inOrderOfInvoice,
  periodOf,
} from "./agreed-period.ts";
import { closableAt, isBilledToItsEnd } from "./agreed-rows.ts";
import { afterAsked, type ForeseenOfChange, type ThoughtOfChange } from "./foreseen-change.ts";
import { type ForeseenCustomer, foreseenCustomer, keptUpGrants, type Means } from "./foreseen-customer.ts";
import { type ForeseenEvent, nextEvent } from "./foreseen-order.ts";
import { afterDue, type ForeseenStep } from "./foreseen-steps.ts";
import {
  advanceOf,
  afterClosing,
  type ForeseenSubscription,
  nextDueOf,
  withInvoice,
} from "./foreseen-subscription.ts";
import { type LoadedPeriod, loadPeriod } from "./period-facts.ts";
import type { StoredSubscription } from "./subscriptions.ts";

/** A period as closing it is expected to find it. */
export interface ExpectedPeriod {
  readonly row: StoredSubscription;
  readonly agreed: AgreedPeriod;
  readonly facts: LoadedPeriod;
}

/** Periods that one invoice is expected to close: one, unless the customer's subscriptions are invoiced together. */
export interface ExpectedClosing {
  readonly periods: readonly ExpectedPeriod[];
  readonly closed: ClosedTogether;
}

/** So many closings of the customer's other subscriptions are gone through before one that is asked for; later ones are not looked at. */
export const othersMax = 50;

/**
 * What is ahead of a customer, gone through in the order of time, with the usage of now: changes, ends and closings of all
 * subscriptions, which are paid from one balance and with the same credit. Nothing is stored, and no lock is taken: call it in
 * `inSnapshot`, so that all is of one moment.
 */
export class ForeseenClosings {
  readonly #tx: Tx;
  readonly #now: Instant;
  readonly #found: ForeseenCustomer;
  /** Grants that are or were there; none of them is given again. */
  readonly #known: Set<string>;
  /** Of which subscriptions a period was closed on the way. */
  readonly #closedOnce = new Set<string>();
  readonly #subscriptions: Map<string, ForeseenSubscription>;
  #means: Means;
  #ofChanges: (ForeseenOfChange & { readonly subscriptionId: string })[] = [];

  private constructor(tx: Tx, now: Instant, found: ForeseenCustomer) {
    this.#tx = tx;
    this.#now = now;
    this.#found = found;
    this.#subscriptions = new Map(found.subscriptions.map((each) => [each.row.id, each]));
    this.#means = found.means;
    this.#known = new Set(found.means.grants.map(({ id }) => id));
  }

  /** As it stands now: of the customer of a subscription. */
  static async of(tx: Tx, subscription: StoredSubscription, now: Instant): Promise<ForeseenClosings> {
    return new ForeseenClosings(tx, now, await foreseenCustomer(tx, subscription));
  }

  /** The closing of a subscription that comes next, after what comes before it; null when it has no period to close any more. */
  async next(subscriptionId: string): Promise<ExpectedClosing | null> {
    let others = 0;
    for (;;) {
      const event = this.#nextEvent((id) => id === subscriptionId || others < othersMax);
      if (event === null || !this.#isOpen(subscriptionId)) return null;
      if (event.kind === "due") await this.#makeDue(event);
      else {
        const closing = await this.#close(event.subscription);
        if (closing.periods.some(({ row }) => row.id === subscriptionId)) return closing;
        others += 1;
      }
    }
  }

  /**
   * As if a change of a subscription were asked for now.
   * @throws SubscriptionRefusal, SubscriptionRuleError as the change itself would
   */
  async ask(subscriptionId: string, change: ThoughtOfChange): Promise<void> {
    const subscription = await this.#madeUntil(subscriptionId, this.#now);
    if (subscription === undefined) throw new SubscriptionRefusal("subscription_canceled", "it has ended");
    this.#take(await afterAsked(this.#tx, subscription, change, this.#now), this.#now);
  }

  /** What changes of a subscription have issued since this was asked last. */
  takeOfChanges(subscriptionId: string): ForeseenOfChange[] {
    const taken = this.#ofChanges.filter((each) => each.subscriptionId === subscriptionId);
    this.#ofChanges = this.#ofChanges.filter((each) => each.subscriptionId !== subscriptionId);
    return taken;
  }

  #isOpen(id: string): boolean {
    const row = this.#subscriptions.get(id)?.row;
    return row !== undefined && row.nextCloseAt !== null;
  }

  #nextEvent(isLookedAt: (subscriptionId: string) => boolean): ForeseenEvent | null {
    const subscriptions = [...this.#subscriptions.values()].filter(({ row }) => isLookedAt(row.id));
    return nextEvent(subscriptions, this.#now);
  }

  async #makeDue({ subscription, at }: ForeseenEvent): Promise<void> {
    this.#take(await afterDue(this.#tx, subscription, at), at);
  }

  /** What notes give back, and the invoices of changes, which no credit pays. */
  #take({ subscription: changed, invoices, notes }: ForeseenStep, at: Instant): void {
    let subscription = changed;
    const { customerBalance } = this.#means;
    const toBalance = notes.map(({ planned }) => planned.toBalance);
    const balance = sumMoney([customerBalance, ...toBalance], customerBalance.currency);
    this.#means = { ...this.#means, customerBalance: balance };
    const issued = invoices.map((lines) => this.#payFor(lines, at));
    for (const invoice of issued) {
      const own = { from: 0, to: invoice.lines.length };
      subscription = withInvoice(subscription, { ...invoice, own });
    }
    const { id: subscriptionId } = subscription.row;
    this.#subscriptions.set(subscriptionId, subscription);
    const ofChange = { subscriptionId, at, notes };
    const [first = null, ...others] = issued;
    if (first !== null || notes.length > 0) this.#ofChanges.push({ ...ofChange, invoice: first });
    for (const invoice of others) this.#ofChanges.push({ ...ofChange, invoice, notes: [] });
  }

  #payFor(lines: readonly InvoiceLine[], asOf: Instant): AddedUpInvoice {
    const { customerBalance, carried } = this.#means;
    const { currency: inCurrency } = customerBalance;
    const issued = addUpInvoice(lines, { grants: [], customerBalance, currency: inCurrency, asOf });
    this.#means = { ...this.#means, ...moneyLeft(issued, { customerBalance, carried }) };
    return issued;
  }

  async #close(subscription: ForeseenSubscription): Promise<ExpectedClosing> {
    const together = await this.#together(subscription);
    const { isOnTestClock, published } = this.#found;
    const agreed: AgreedPeriod[] = [];
    for (const { row, terms } of together) {
      agreed.push(await agreedBy(this.#tx, row, row.billedThrough, { terms, isOnTestClock, published }));
    }
    const dues = together.map(({ row }, place) => closableAt(row, agreed[place]?.period.end ?? this.#now));
    const at = dues.reduce((last, due) => (due > last ? due : last), this.#now);
    this.#keepUpGrants(at);
    const periods: ExpectedPeriod[] = [];
    for (const [place, of] of together.entries()) {
      const ofPeriod = agreed[place];
      if (ofPeriod !== undefined) periods.push(await this.#expected(of, ofPeriod, at));
    }
    const facts = carriedOnce(periods.map((period) => period.facts));
    const closed = closeTogether(facts);
    const expected = periods.map((period, place) => ({ ...period, facts: facts[place] ?? period.facts }));
    for (const [place, of] of together.entries()) {
      const ofPeriod = agreed[place];
      if (ofPeriod === undefined) continue;
      this.#subscriptions.set(of.row.id, afterClosing(of, ofPeriod, closed, place));
      this.#closedOnce.add(of.row.id);
    }
    this.#means = meansLeft(facts, closed);
    this.#keepUpGrants(at);
    return { periods: expected, closed };
  }

  async #expected(
    subscription: ForeseenSubscription,
    agreed: AgreedPeriod,
    at: Instant,
  ): Promise<ExpectedPeriod> {
    const tx = this.#tx;
    const { row, waiting } = subscription;
    const advanceLines = await advanceOf(tx, subscription, agreed.period);
    // What came late is on the first invoice that comes.
    const soFar = this.#closedOnce.has(row.id);
    const foreseen = { ...this.#means, waiting, advanceLines };
    const facts = await loadPeriod((read) => read(tx), tx, row, agreed, at, {
      ...{ levelsUntil: this.#now, foreseen, soFar },
    });
    return { row, agreed, facts };
  }

  /** Whose periods are closed together with a subscription's, in their order; what is due of them before is made. */
  async #together(subscription: ForeseenSubscription): Promise<ForeseenSubscription[]> {
    const { id, billedThrough, currency: code } = subscription.row;
    const { end } = periodOf(subscription.row, billedThrough).period;
    const together = [subscription];
    if (!isBilledToItsEnd(subscription.row) && invoicingOf(this.#found.choices, end) === "consolidated") {
      for (const other of this.#subscriptions.keys()) {
        if (other === id) continue;
        const found = await this.#madeUntil(other, end);
        const isOpen = found?.row.nextCloseAt !== null && found?.row.currency === code;
        if (found !== undefined && isOpen && endsAt(found.row, end) === "next") together.push(found);
      }
    }
    return inOrderOfInvoice(together, ({ row }) => row);
  }

  async #madeUntil(id: string, until: Instant): Promise<ForeseenSubscription | undefined> {
    for (;;) {
      const subscription = this.#subscriptions.get(id);
      const dueAt = subscription === undefined ? null : nextDueOf(subscription);
      const isOpen = subscription !== undefined && subscription.row.nextCloseAt !== null;
      if (!isOpen || dueAt === null || dueAt > until) return subscription;
      await this.#makeDue({ subscription, at: dueAt, kind: "due" });
    }
  }

  #keepUpGrants(at: Instant): void {
    const subscriptions = [...this.#subscriptions.values()];
    const grants = keptUpGrants(this.#means.grants, subscriptions, {
      ...{ at, recurring: this.#found.recurring, known: this.#known },
    });
    this.#means = { ...this.#means, grants };
  }
}
