import {
  noteCollectors,
  type UncollectedInvoice,
  uncollectedInvoices,
} from "../db/billing/uncollected-invoices.ts";
import { type Instant, instantOfEpochMs } from "../domain/calendar/index.ts";
import { workflowIds } from "../workflows/messages.ts";
import { atMost } from "./at-most.ts";
import type { ActivityDependencies } from "./dependencies.ts";

export interface CollectedPage {
  readonly started: number;
  readonly more: boolean;
}

export interface CollectOptions {
  readonly now: Instant;
  /** How long an invoice of a period is left to the run that closed it. */
  readonly patienceMs: number;
}

/** How long other invoices, which are collected by whoever issued them, are left to that. */
const patienceWithOthersMs = 10 * 60_000;

/** More at once are not started faster: the server's cores are busy with these. */
const startsAtOnce = 16;

/**
 * Starts the collection of a page of invoices that nobody collects: those of periods closed in pages, and those whose
 * issuer died before it could. An invoice has one collection, however often this is repeated.
 */
export async function collectDuePage(
  { db, gateway }: ActivityDependencies,
  { limit }: { readonly limit: number },
  { now, patienceMs }: CollectOptions,
): Promise<CollectedPage> {
  const uncollected = await uncollectedInvoices(db.orm, {
    cyclesIssuedBy: instantOfEpochMs(now - patienceMs),
    othersIssuedBy: instantOfEpochMs(now - patienceWithOthersMs),
    limit,
  });
  const withRoom = atMost(startsAtOnce);
  const start = (invoice: UncollectedInvoice) =>
    withRoom(() => gateway.startCollection({ ...invoice, clock: null }));
  const ended = await Promise.allSettled(uncollected.map(start));
  const begun = uncollected.filter((_, place) => ended[place]?.status === "fulfilled");
  await noteCollectors(
    db.orm,
    begun.map(({ invoiceId }) => ({ invoiceId, collectedBy: workflowIds.collection(invoiceId) })),
  );
  for (const each of ended) if (each.status === "rejected") throw each.reason;
  return { started: begun.length, more: uncollected.length === limit };
}
