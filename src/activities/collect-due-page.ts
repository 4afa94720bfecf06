import { setTimeout as pause } from "node:timers/promises";
import {
  noteCollectors,
  type UncollectedInvoice,
  uncollectedInvoices,
} from "../db/billing/uncollected-invoices.ts";
import { isDatabaseAway } from "../db/lost-connection.ts";
import { type Instant, instantOfEpochMs, isoOf } from "../domain/calendar/index.ts";
import { StripeCallError } from "../stripe/index.ts";
import { dunningAfter, workflowIds } from "../workflows/messages.ts";
import { atMost } from "./at-most.ts";
import { collectInvoice } from "./collect-invoice.ts";
import type { ActivityDependencies } from "./dependencies.ts";

/** What became of the invoices of a page. */
export interface CollectedPage {
  readonly paid: number;
  /** Declined, withheld or failed: each has a `dunning` or a `collection` of its own now. */
  readonly handedOver: number;
  readonly more: boolean;
}

export interface CollectOptions {
  readonly now: Instant;
  /** How long an invoice of a period is left to the run that closed it. */
  readonly patienceMs: number;
  /** How many invoices are begun in a second at most. */
  readonly invoicesPerSecond: number;
  /** Whether this process is about to end: what is not begun is then left to the next attempt. */
  readonly isStopping: () => boolean;
  /** Is told of each invoice that failed; its own run shows the same to operators. */
  readonly onFailure: (invoiceId: string, error: unknown) => void;
}

/** How long other invoices, which are collected by whoever issued them, are left to that. */
const patienceWithOthersMs = 10 * 60_000;

/**
 * Calls to Stripe take long and no CPU, and what is recorded of those under way shares statements; each of these has at most one
 * database connection at a time.
 */
const chargesAtOnce = 24;

/** So many failures of Stripe itself are not the invoices' fault: the rest of the page is left until it answers again. */
const failuresOfStripeMax = 3;

/**
 * Collects a page of invoices that nobody collects: those of periods closed in pages, and those whose issuer died before it
 * could. What is paid needs no run; a decline has a `dunning`, and what fails a `collection`, which does the same under the same
 * keys, goes on trying, and is seen. What is begun here belongs to nobody until it has ended, so an attempt that was cut off, at
 * any place, is taken up by reading the page again. A database or a Stripe that is away fails the attempt, not the invoices.
 */
export async function collectDuePage(
  deps: ActivityDependencies,
  { limit }: { readonly limit: number },
  options: CollectOptions,
): Promise<CollectedPage> {
  const { now, patienceMs } = options;
  const uncollected = await uncollectedInvoices(deps.db.orm, {
    cyclesIssuedBy: instantOfEpochMs(now - patienceMs),
    othersIssuedBy: instantOfEpochMs(now - patienceWithOthersMs),
    limit,
  });
  const page = new CollectingPage(deps, options);
  const withRoom = atMost(chargesAtOnce);
  // All of them end before this does: an attempt that failed leaves nothing behind that goes on.
  const ended = await Promise.allSettled(uncollected.map((invoice) => withRoom(() => page.collect(invoice))));
  for (const each of ended) if (each.status === "rejected") throw each.reason;
  return { ...page.counts, more: uncollected.length === limit };
}

class CollectingPage {
  readonly counts = { paid: 0, handedOver: 0 };
  readonly #deps: ActivityDependencies;
  readonly #options: CollectOptions;
  #isCutShort = false;
  #failuresOfStripe = 0;
  #nextBeginsAt = 0;

  constructor(deps: ActivityDependencies, options: CollectOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async collect(invoice: UncollectedInvoice): Promise<void> {
    await this.#turn();
    this.#isCutShort ||= this.#options.isStopping();
    if (this.#isCutShort) return;
    try {
      await this.#charge(invoice);
    } catch (error) {
      if (isDatabaseAway(error)) {
        this.#isCutShort = true;
        throw error;
      }
      await this.#handOver(invoice, error);
    }
  }

  /** Spreads the beginnings evenly over time. */
  async #turn(): Promise<void> {
    const now = performance.now();
    const beginsAt = Math.max(now, this.#nextBeginsAt);
    this.#nextBeginsAt = beginsAt + 1_000 / this.#options.invoicesPerSecond;
    if (beginsAt > now) await pause(beginsAt - now);
  }

  async #charge({ invoiceId, customerId, subscriptionId }: UncollectedInvoice): Promise<void> {
    const { gateway } = this.#deps;
    const at = isoOf(this.#options.now);
    const outcome = await collectInvoice(this.#deps, { invoiceId, at, collectedBy: null });
    if (outcome.status === "paid") {
      this.counts.paid += 1;
      return;
    }
    await gateway.startDunning(
      dunningAfter(outcome, { invoiceId, customerId, subscriptionId, clock: null }, at),
    );
    await this.#note(invoiceId, workflowIds.dunning(invoiceId));
  }

  /** To a run of its own. When Stripe itself fails, that is said of the attempt instead, after the first few. */
  async #handOver(invoice: UncollectedInvoice, error: unknown): Promise<void> {
    const { invoiceId } = invoice;
    if (isFailureOfStripe(error) && ++this.#failuresOfStripe > failuresOfStripeMax) {
      this.#isCutShort = true;
      throw error;
    }
    this.#options.onFailure(invoiceId, error);
    await this.#deps.gateway.startCollection({ ...invoice, clock: null });
    await this.#note(invoiceId, workflowIds.collection(invoiceId));
  }

  async #note(invoiceId: string, collectedBy: string): Promise<void> {
    await noteCollectors(this.#deps.db.orm, [{ invoiceId, collectedBy }]);
    this.counts.handedOver += 1;
  }
}

/** Whether any invoice would have met it. */
function isFailureOfStripe(error: unknown): boolean {
  if (!(error instanceof StripeCallError)) return false;
  const { kind } = error.failure;
  return kind === "unavailable" || kind === "rate_limited" || kind === "auth";
}
