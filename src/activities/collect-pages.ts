import { Context, log } from "@temporalio/activity";
import { queryFailure } from "../db/sql-state.ts";
import type { ClosingPolicy } from "../workflows/messages.ts";
import { type CollectedPage, collectDuePage } from "./collect-due-page.ts";
import { patienceMs } from "./cycle-activities.ts";
import type { ActivityDependencies } from "./dependencies.ts";

export interface CollectPagesOptions {
  readonly closing: ClosingPolicy;
  /** Of pages: how many invoices are begun in a second at most. */
  readonly invoicesPerSecond: number;
}

/** A page of invoices, within an activity: ends early when its worker does, and says which invoices failed. */
export function collectPageOf(
  deps: ActivityDependencies,
  { closing, invoicesPerSecond }: CollectPagesOptions,
): (input: { readonly limit: number }) => Promise<CollectedPage> {
  return (input) => {
    const { cancellationSignal } = Context.current();
    return collectDuePage(deps, input, {
      now: deps.now(),
      patienceMs: patienceMs[closing.by],
      invoicesPerSecond,
      isStopping: () => cancellationSignal.aborted,
      onFailure: (invoiceId, error) =>
        log.warn("an invoice could not be collected in its page", {
          invoice_id: invoiceId,
          error: (queryFailure(error) ?? (error as Error)).message,
        }),
    });
  };
}
