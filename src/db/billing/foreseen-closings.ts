import type { Instant } from "../../domain/calendar/index.ts";
import {
  type AgreedRecurring,
  type CreditGrant,
  expectedGrants,
  grantsAfter,
} from "../../domain/credits/index.ts";
import {
  addUpInvoice,
  type ClosedPart,
  type ClosedTogether,
  carriedOnce,
  closeTogether,
  type InvoiceLine,
  type InvoicingChoice,
  invoicingOf,
  meansLeft,
  moneyLeft,
} from "../../domain/invoicing/index.ts";
import { currency } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import type { StoredMeter } from "../usage/meters-in-force.ts";
import {
  type AgreedPeriod,
  agreedBy,
  endsAt,
  inOrder as inOrderOfInvoice,
  periodOf,
} from "./agreed-period.ts";
import { graceAfter, movedOn } from "./agreed-rows.ts";
import { type ForeseenCustomer, foreseenCustomer, type Means } from "./foreseen-customer.ts";
import { advanceOf, afterDue, type ForeseenSubscription, nextDueOf } from "./foreseen-subscription.ts";
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

interface Step {
  readonly subscription: ForeseenSubscription;
  readonly at: Instant;
  /** due: something that was agreed for later; close: its period is closed. */
  readonly kind: "due" | "close";
}

/**
 * What is ahead of a customer, gone through in the order of time, with the usage of now: changes, ends and closings of all
 * subscriptions, which are paid from one balance and with the same credit. Nothing is stored, and no lock is taken: call it in
 * `inSnapshot`, so that all is of one moment.
 */
export class ForeseenClosings {
  readonly #tx: Tx;
  readonly #now: Instant;
  readonly #isOnTestClock: boolean;
  readonly #published: readonly StoredMeter[];
  readonly #recurring: readonly AgreedRecurring[];
  readonly #choices: readonly InvoicingChoice[];
  /** Grants that are or were there; none of them is given again. */
  readonly #known: Set<string>;
  /** Of which subscriptions a period was closed on the way. */
  readonly #closedOnce = new Set<string>();
  readonly #subscriptions: Map<string, ForeseenSubscription>;
  #means: Means;

  private constructor(tx: Tx, now: Instant, found: ForeseenCustomer) {
    this.#tx = tx;
    this.#now = now;
    this.#isOnTestClock = found.isOnTestClock;
    this.#published = found.published;
    this.#recurring = found.recurring;
    this.#choices = found.choices;
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
      const step = this.#nextStep((id) => id === subscriptionId || others < othersMax);
      if (step === null || !this.#isOpen(subscriptionId)) return null;
      if (step.kind === "due") await this.#makeDue(step);
      else {
        const closing = await this.#close(step.subscription);
        if (closing.periods.some(({ row }) => row.id === subscriptionId)) return closing;
        others += 1;
      }
    }
  }

  #isOpen(id: string): boolean {
    const row = this.#subscriptions.get(id)?.row;
    return row !== undefined && row.nextCloseAt !== null;
  }

  /** Of one instant, what is agreed comes before closings, and subscriptions in the order of their ids. */
  #nextStep(isLookedAt: (subscriptionId: string) => boolean): Step | null {
    const steps = [...this.#subscriptions.values()]
      .filter(({ row }) => isLookedAt(row.id))
      .flatMap((subscription): Step[] => {
        const { nextCloseAt } = subscription.row;
        if (nextCloseAt === null) return [];
        const closesAt = this.#now > nextCloseAt ? this.#now : nextCloseAt;
        const dueAt = nextDueOf(subscription);
        const isDue = dueAt !== null && dueAt <= closesAt;
        return [{ subscription, ...(isDue ? { at: dueAt, kind: "due" } : { at: closesAt, kind: "close" }) }];
      });
    return steps.toSorted(inOrder)[0] ?? null;
  }

  async #makeDue({ subscription: before, at }: Step): Promise<void> {
    const { subscription, invoice } = await afterDue(this.#tx, before, at);
    this.#subscriptions.set(subscription.row.id, subscription);
    if (invoice.length > 0) this.#payFor(subscription, invoice, at);
  }

  /** A change's own invoice, which no credit pays. */
  #payFor({ row }: ForeseenSubscription, lines: readonly InvoiceLine[], asOf: Instant): void {
    const { customerBalance, carried } = this.#means;
    const inCurrency = currency(row.currency);
    const issued = addUpInvoice(lines, { grants: [], customerBalance, currency: inCurrency, asOf });
    this.#means = { ...this.#means, ...moneyLeft(issued, { customerBalance, carried }) };
  }

  async #close(subscription: ForeseenSubscription): Promise<ExpectedClosing> {
    const together = await this.#together(subscription);
    const [isOnTestClock, published] = [this.#isOnTestClock, this.#published];
    const agreed: AgreedPeriod[] = [];
    for (const { row, terms } of together) {
      agreed.push(await agreedBy(this.#tx, row, row.billedThrough, { terms, isOnTestClock, published }));
    }
    const dues = together.map(({ row }, place) => graceAfter(row, agreed[place]?.period.end ?? this.#now));
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
    for (const [place, of] of together.entries()) this.#moveOn(of, agreed[place], closed.parts[place]);
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
    if (invoicingOf(this.#choices, end) === "consolidated") {
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

  #moveOn(
    { row, invoiced, ...subscription }: ForeseenSubscription,
    agreed: AgreedPeriod | undefined,
    closed: ClosedPart | undefined,
  ): void {
    if (agreed === undefined || closed === undefined) return;
    const { billedThrough, nextCloseAt } = movedOn(row, agreed);
    this.#subscriptions.set(row.id, {
      ...subscription,
      row: { ...row, billedThrough, nextCloseAt },
      invoiced: [...invoiced, ...closed.lines],
      waiting: [],
    });
    this.#closedOnce.add(row.id);
  }

  /** Recurring credit that will have been given by then, and what has run out of time before every period that is open. */
  #keepUpGrants(at: Instant): void {
    const given = expectedGrants(this.#recurring, at).filter(({ id }) => !this.#known.has(id));
    for (const { id } of given) this.#known.add(id);
    const open = [...this.#subscriptions.values()].filter(({ row }) => row.nextCloseAt !== null);
    const isOver = ({ expiresAt }: CreditGrant) =>
      expiresAt !== null && expiresAt <= at && open.every(({ row }) => row.billedThrough >= expiresAt);
    const grants = grantsAfter([...this.#means.grants, ...given], this.#recurring, isOver);
    this.#means = { ...this.#means, grants };
  }
}

function inOrder(one: Step, other: Step): number {
  if (one.at !== other.at) return one.at - other.at;
  if (one.kind !== other.kind) return one.kind === "due" ? -1 : 1;
  return one.subscription.row.id < other.subscription.row.id ? -1 : 1;
}
