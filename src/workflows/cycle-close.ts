import { continueAsNew, setCurrentDetails, workflowInfo } from "@temporalio/workflow";
import type { ClosedPage, PlaceInLane } from "../activities/close-due-page.ts";
import { cycleActivities, stripeActivities } from "./activity-options.ts";

export interface CycleCloseInput {
  /** How many pages are closed at once, by whichever workers there are. */
  readonly lanes?: number;
  /** Periods of a page: long enough that a step costs nothing beside it, short enough that one is soon repeated. */
  readonly pageSize?: number;
  readonly closedBefore?: number;
}

const invoicesOfPage = 100;

/**
 * Started by a Schedule: finds the periods that are due and not closed and closes them in pages, each subscription in
 * its own idempotent transaction, with no workflow of its own unless something must wait or went wrong; then collects what
 * they came to, in pages too. The safety net for every missed wake-up, and the normal way where `CYCLE_CLOSE=paged`.
 * Id: `cycle-close`. Answers how many it closed.
 */
export async function cycleClose(input: CycleCloseInput): Promise<number> {
  const { lanes = 1, pageSize = 250, closedBefore = 0 } = input;
  const run = new ClosingRun(pageSize, closedBefore);
  // One page over all customers, which on most days is all there is; as many lanes as asked for when there is more.
  const first = await run.page({ lane: 0, lanes: 1, after: null });
  if (first.next !== null) {
    await Promise.all(Array.from({ length: lanes }, (_, lane) => run.closeLane(lane, lanes)));
  }
  await run.collect();
  if (run.isLong()) await continueAsNew<typeof cycleClose>({ ...input, closedBefore: run.closed });
  return run.closed;
}

/** What a run of the cycle close has done. */
class ClosingRun {
  closed: number;
  readonly #pageSize: number;
  #handedOver = 0;
  #paid = 0;
  #uncollected = 0;

  constructor(pageSize: number, closedBefore: number) {
    this.#pageSize = pageSize;
    this.closed = closedBefore;
  }

  isLong(): boolean {
    return workflowInfo().continueAsNewSuggested;
  }

  /** Once from the lane's beginning to its end: what failed is not met again. */
  async closeLane(lane: number, lanes: number): Promise<void> {
    let after: PlaceInLane | null = null;
    do {
      const page: ClosedPage = await this.page({ lane, lanes, after });
      after = page.next;
    } while (after !== null && !this.isLong());
  }

  async page(of: { lane: number; lanes: number; after: PlaceInLane | null }): Promise<ClosedPage> {
    const page = await cycleActivities().closeDuePage({ ...of, limit: this.#pageSize });
    this.closed += page.closed;
    this.#handedOver += page.handedOver;
    this.#describe();
    return page;
  }

  /** One page at a time, which keeps to its part of Stripe's rate; what was closed is collected when the closing is done. */
  async collect(): Promise<void> {
    for (;;) {
      const page = await stripeActivities("10m").collectDuePage({ limit: invoicesOfPage });
      this.#paid += page.paid;
      this.#uncollected += page.handedOver;
      this.#describe();
      if (!page.more || this.isLong()) return;
    }
  }

  #describe(): void {
    setCurrentDetails(
      `${this.closed} periods closed, ${this.#handedOver} handed over to a cycle of their own; ` +
        `${this.#paid} invoices paid, ${this.#uncollected} handed over to a run of their own.`,
    );
  }
}
