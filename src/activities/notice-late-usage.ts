import {
  type EndedAndDue,
  endedAndDue,
  lateInvoiceCount,
  noticeLateUsage,
} from "../db/billing/late-after-end.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { instantOfEpochMs, isoOf } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import type { ActivityDependencies } from "./dependencies.ts";

export interface LateUsageLook {
  /** Subscriptions with late usage that was not noticed before. */
  readonly noticed: number;
  /** The first of what went wrong. */
  readonly failure: unknown;
}

/**
 * Finds usage that came when its subscription had ended and was billed to its end, and has each of those subscriptions closed once
 * more, by a `billingCycle` of its own. Any number of workers may do it, each by itself.
 */
export class LateUsageWatch {
  readonly #deps: Pick<ActivityDependencies, "db" | "gateway">;
  /** Whose run was started here, and for which time: a run is started once in any case, this saves asking. */
  readonly #started = new Map<string, number>();

  constructor(deps: Pick<ActivityDependencies, "db" | "gateway">) {
    this.#deps = deps;
  }

  /** @param now the wall's time */
  async look(now: Instant): Promise<LateUsageLook> {
    const { orm } = this.#deps.db;
    const noticed = await noticeLateUsage(orm, now);
    const failures: unknown[] = [];
    for (const due of await endedAndDue(orm)) {
      // What fails holds up nothing else, and is tried again with the next look.
      await this.#start(due).catch((error: unknown) => failures.push(error));
    }
    return { noticed, failure: failures[0] };
  }

  async #start(due: EndedAndDue): Promise<void> {
    const { id } = due.row;
    const again = await lateInvoiceCount(this.#deps.db.orm, id);
    if (this.#started.get(id) === again) return;
    await startLateClosing(this.#deps, due);
    this.#started.set(id, again);
  }
}

/** Gives late usage after the end a run of its own, unless it has one. */
export async function startLateClosing(
  { db, gateway }: Pick<ActivityDependencies, "db" | "gateway">,
  { row, clock }: EndedAndDue,
): Promise<void> {
  const { id: subscriptionId, customerId, billedThrough, nextCloseAt, graceSeconds } = row;
  invariant(nextCloseAt, "it is due");
  const again = await lateInvoiceCount(db.orm, subscriptionId);
  await gateway.startBillingCycle({
    ...{ subscriptionId, customerId, graceSeconds },
    periodStart: isoOf(billedThrough),
    // Its grace is counted from when it was noticed.
    periodEnd: isoOf(instantOfEpochMs(nextCloseAt - graceSeconds * 1_000)),
    ...(again === 0 ? {} : { again }),
    clock: clock === null ? null : { clockId: clock.id, now: isoOf(clock.currentAt) },
  });
}
