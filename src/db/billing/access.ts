import { and, eq, inArray } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import {
  type Access,
  accessAt,
  type SubscriptionStatus,
  strictestAccess,
} from "../../domain/lifecycle/index.ts";
import type { Tx } from "../database.ts";
import { invoice, subscription } from "../schema/billing.ts";
import { dunning } from "../schema/dunning.ts";
import { invoicePart } from "../schema/invoice-documents.ts";
import { isOpenDunning, type StoredDunning } from "./payments.ts";

/** Access that invoices which are not paid leave, and the invoice of the strictest. */
export type InvoiceAccess = Access & { readonly invoiceId: string | null };

export const fullAccess: InvoiceAccess = { level: "granted", next: null, invoiceId: null };

/** What a customer may use by the invoices that dunning is, or was, at work on; computed at `now`, and never stored. */
export async function accessOfCustomer(tx: Tx, customerId: string, now: Instant): Promise<InvoiceAccess> {
  return await accessBy(tx, now, eq(invoice.customerId, customerId));
}

/** In these a subscription gives nothing: it has not begun, never did, or has ended. A trial gives all that is paid for later. */
const withoutAccess: ReadonlySet<SubscriptionStatus> = new Set([
  "incomplete",
  "incomplete_expired",
  "canceled",
]);

/** The same by the invoices that a subscription is on, and by its state. @param isDunned false where it is known that there are none */
export async function accessOfSubscription(
  tx: Tx,
  { id, status }: { readonly id: string; readonly status: SubscriptionStatus },
  now: Instant,
  isDunned = true,
): Promise<InvoiceAccess> {
  if (withoutAccess.has(status)) return { level: "ended", next: null, invoiceId: null };
  if (!isDunned) return fullAccess;
  return await accessBy(tx, now, eq(invoicePart.subscriptionId, id));
}

/** The same by one invoice alone. */
export async function accessOfDunning(
  tx: Tx,
  { invoiceId }: StoredDunning,
  now: Instant,
): Promise<InvoiceAccess> {
  return await accessBy(tx, now, eq(invoice.id, invoiceId));
}

async function accessBy(tx: Tx, now: Instant, whose: ReturnType<typeof eq>): Promise<InvoiceAccess> {
  const found = await tx
    .select({ dunning, invoiceStatus: invoice.status, subscriptionStatus: subscription.status })
    .from(dunning)
    .innerJoin(invoice, eq(invoice.id, dunning.invoiceId))
    .innerJoin(invoicePart, eq(invoicePart.invoiceId, invoice.id))
    .leftJoin(subscription, eq(subscription.id, invoicePart.subscriptionId))
    .where(and(whose, inArray(invoice.status, ["open", "uncollectible"])));
  const accesses = found.flatMap((row): InvoiceAccess[] => {
    const { policy, startedAt, invoiceId, state } = row.dunning;
    if (policy === null) return [];
    const bySteps = { ...accessAt(policy, startedAt, now), invoiceId };
    if (isOpenDunning(row.dunning)) return [bySteps];
    if (state !== "exhausted" || row.invoiceStatus !== "uncollectible") return [];
    // What was given up and left past due loses its access as the policy says, though nothing is tried any more.
    if (policy.finalAction === "uncollectible") return [bySteps];
    const isPaused = policy.finalAction === "pause" && row.subscriptionStatus === "paused";
    return isPaused ? [{ level: "ended", next: null, invoiceId }] : [];
  });
  if (accesses.length === 0) return fullAccess;
  const strictest = strictestAccess(accesses);
  const cause = accesses.find(({ level }) => level === strictest.level)?.invoiceId ?? null;
  return { ...strictest, invoiceId: strictest.level === "granted" ? null : cause };
}
