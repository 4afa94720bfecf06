import { and, asc, eq } from "drizzle-orm";
import type { Period } from "../../domain/calendar/index.ts";
import {
  completenessTogether,
  fromJson,
  type InvoiceLine,
  type UsageCompleteness,
} from "../../domain/invoicing/index.ts";
import type { JsonValue } from "../../domain/metering/index.ts";
import { sql, type Tx } from "../database.ts";
import { invoiceLine } from "../schema/billing.ts";
import { invoicePart } from "../schema/invoice-documents.ts";
import { timestamp } from "../timestamp.ts";
import type { FactsToStore, MeansSeen, PeriodSeen } from "./invoice-facts.ts";

/** What an invoice is for of one subscription. */
export interface PartToStore {
  /** Null where credits are bought. */
  readonly subscriptionId: string | null;
  readonly period: Period | null;
  readonly lines: readonly InvoiceLine[];
  /** Of the period that it closes, when it closes one. */
  readonly usage?: UsageCompleteness;
  /** What decided it and is kept nowhere else: without them it cannot be derived again. */
  readonly facts?: FactsToStore;
}

/** What decided it is undefined where none was kept. */
export type StoredPart = Omit<typeof invoicePart.$inferSelect, "facts"> & {
  readonly facts: PeriodSeen | MeansSeen | undefined;
};

/** Parts as the table has them, numbered from 1. */
export function partRows(
  invoiceId: string,
  parts: readonly PartToStore[],
): (typeof invoicePart.$inferInsert)[] {
  return parts.map(({ subscriptionId, period, usage, facts }, index) => ({
    invoiceId,
    part: index + 1,
    subscriptionId,
    periodStart: period?.start ?? null,
    periodEnd: period?.end ?? null,
    ...usageColumns(usage),
    facts: facts ?? null,
  }));
}

/** How complete usage was, as tables have it. */
function usageColumns(usage: UsageCompleteness | undefined) {
  return {
    usageCompleteUntil: usage?.completeUntil ?? null,
    usageKnownBy: usage?.knownBy ?? null,
    usageHeldBackBy: usage?.heldBackBy?.source ?? null,
  };
}

/** What an invoice says of all its parts: of which subscription it is, from when until when, and how complete their usage was. */
export function saidOfParts(parts: readonly PartToStore[]) {
  const period = wholeOf(parts.flatMap((part) => part.period ?? []));
  const usages = parts.flatMap(({ usage }) => usage ?? []);
  return {
    subscriptionId: parts.length === 1 ? (parts[0]?.subscriptionId ?? null) : null,
    periodStart: period?.start ?? null,
    periodEnd: period?.end ?? null,
    ...usageColumns(completenessTogether(usages)),
  };
}

/** Of periods that end together: from where the first one begins. Null of none. */
export function wholeOf(periods: readonly Period[]): Period | null {
  const [first, ...others] = periods;
  if (first === undefined) return null;
  return {
    start: others.reduce((low, { start }) => (start < low ? start : low), first.start),
    end: first.end,
  };
}

/** That a line is of a part. */
export const isLineOfPart = and(
  eq(invoiceLine.invoiceId, invoicePart.invoiceId),
  eq(invoiceLine.part, invoicePart.part),
);

/** Lines for time in a period: a line of a change is for the period that it fell into, which its detail names. */
export function isForTimeIn({ start, end }: Period) {
  const begins = sql`coalesce((${invoiceLine.detail} ->> 'periodStart')::timestamptz, ${invoiceLine.periodStart})`;
  return sql`${begins} >= ${timestamp(start)} and ${begins} < ${timestamp(end)}`;
}

/** The parts of an invoice, in their order. */
export async function partsOfInvoice(tx: Tx, invoiceId: string): Promise<StoredPart[]> {
  const found = await tx
    .select()
    .from(invoicePart)
    .where(eq(invoicePart.invoiceId, invoiceId))
    .orderBy(asc(invoicePart.part));
  // Our own table: the shape is what `invoice-facts.ts` wrote.
  return found.map(({ facts, ...part }) => ({
    ...part,
    facts: facts === null ? undefined : (fromJson(facts as JsonValue) as PeriodSeen | MeansSeen),
  }));
}

/** The subscriptions that an invoice is for, in the order of its parts. */
export async function subscriptionsOfInvoice(tx: Tx, invoiceId: string): Promise<string[]> {
  const found = await tx
    .select({ subscriptionId: invoicePart.subscriptionId })
    .from(invoicePart)
    .where(eq(invoicePart.invoiceId, invoiceId))
    .orderBy(asc(invoicePart.part));
  return found.flatMap(({ subscriptionId }) => subscriptionId ?? []);
}
