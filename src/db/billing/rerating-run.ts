import type { Instant, Period } from "../../domain/calendar/index.ts";
import { type RatedUsage, usageLines } from "../../domain/invoicing/index.ts";
import { type Decimal, zero } from "../../domain/money/index.ts";
import { type Database, inSnapshot } from "../database.ts";
import { type ReratedPeriod, reratePeriods } from "./rerating.ts";
import { type ClockedSubscription, subscriptionCount, subscriptionPage } from "./subscription-pages.ts";
import type { KnownPlans } from "./terms-histories.ts";

export interface ReratingRequest {
  /** The wall's time. */
  readonly now: Instant;
  /** Besides what is open, closed periods that begin in it. */
  readonly closedIn: Period | null;
  /** Pages under way at once, each on a connection of its own. */
  readonly pagesAtOnce: number;
  /** How far it is, in subscriptions. */
  readonly onStep?: (done: number, all: number) => void;
}

export interface UsageTotalOfProduct {
  readonly currency: string;
  readonly product: string;
  /** Before discounts, minimums and caps; neither rounded. */
  readonly exactMinor: Decimal;
}

export interface ReratingResult {
  readonly subscriptions: number;
  readonly openPeriods: number;
  readonly closedPeriods: number;
  /** Lines for usage that the periods would have on an invoice of their own. */
  readonly lines: number;
  readonly totals: readonly UsageTotalOfProduct[];
  /** Closed periods of which something else is booked. */
  readonly differing: readonly ReratedPeriod[];
}

const pageSize = 500;

/** Rates the periods of all subscriptions anew, page by page, each page as of one moment, and adds up what they come to. */
export async function rerateAll(db: Database, request: ReratingRequest): Promise<ReratingResult> {
  const { now, closedIn, pagesAtOnce, onStep = () => {} } = request;
  const all = await subscriptionCount(db.orm);
  const pages = allPages(db);
  const known: KnownPlans = new Map();
  const sum = new ReratingSum();
  const work = async () => {
    for await (const page of pages) {
      const rerated = await inSnapshot(db, (tx) => reratePeriods(tx, page, { now, closedIn, known }));
      sum.add(page.length, rerated);
      onStep(sum.subscriptions, all);
    }
  };
  await Promise.all(Array.from({ length: pagesAtOnce }, work));
  return sum.result();
}

async function* allPages({ orm }: Database): AsyncGenerator<ClockedSubscription[]> {
  let after = "";
  for (;;) {
    const page = await subscriptionPage(orm, after, pageSize);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.row.id;
  }
}

class ReratingSum {
  subscriptions = 0;
  readonly #periods = { open: 0, closed: 0 };
  #lines = 0;
  readonly #totals = new Map<string, UsageTotalOfProduct>();
  readonly #differing: ReratedPeriod[] = [];

  add(subscriptions: number, rerated: readonly ReratedPeriod[]): void {
    this.subscriptions += subscriptions;
    for (const period of rerated) {
      this.#periods[period.isClosed ? "closed" : "open"] += 1;
      this.#lines += usageLines(period.rated, null).length;
      for (const rated of period.rated) this.#addAmount(rated);
      if (period.differences.length > 0) this.#differing.push(period);
    }
  }

  #addAmount({ plan: { currency }, price: { product }, rated }: RatedUsage): void {
    const key = JSON.stringify([currency, product]);
    const exactMinor = (this.#totals.get(key)?.exactMinor ?? zero).plus(rated.exactMinor);
    this.#totals.set(key, { currency, product, exactMinor });
  }

  result(): ReratingResult {
    return {
      subscriptions: this.subscriptions,
      openPeriods: this.#periods.open,
      closedPeriods: this.#periods.closed,
      lines: this.#lines,
      totals: [...this.#totals]
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .map(([, total]) => total),
      differing: this.#differing,
    };
  }
}
