import { and, eq, inArray } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { type Access, accessAt, strictestAccess } from "../../domain/lifecycle/index.ts";
import type { Tx } from "../database.ts";
import { invoice } from "../schema/billing.ts";
import { dunning } from "../schema/dunning.ts";
import { isOpenDunning } from "./payments.ts";

/** Access that invoices which are not paid leave, and the invoice of the strictest. */
export type InvoiceAccess = Access & { readonly invoiceId: string | null };

export const fullAccess: InvoiceAccess = { level: "granted", next: null, invoiceId: null };

/** What a customer may use by the invoices that dunning is, or was, at work on; computed at `now`, and never stored. */
export async function accessOfCustomer(tx: Tx, customerId: string, now: Instant): Promise<InvoiceAccess> {
  return await accessBy(tx, now, eq(invoice.customerId, customerId));
}

/** The same by the invoices of one subscription. */
export async function accessOfSubscription(
  tx: Tx,
  subscriptionId: string,
  now: Instant,
): Promise<InvoiceAccess> {
  return await accessBy(tx, now, eq(invoice.subscriptionId, subscriptionId));
}

async function accessBy(tx: Tx, now: Instant, whose: ReturnType<typeof eq>): Promise<InvoiceAccess> {
  const found = await tx
    .select({ dunning, invoiceStatus: invoice.status })
    .from(dunning)
    .innerJoin(invoice, eq(invoice.id, dunning.invoiceId))
    .where(and(whose, inArray(invoice.status, ["open", "uncollectible"])));
  const accesses = found.flatMap(({ dunning: row, invoiceStatus }): InvoiceAccess[] => {
    const { policy, startedAt, invoiceId } = row;
    // What was given up and left past due loses its access as the policy says, though nothing is tried any more.
    const isLeftPastDue =
      row.state === "exhausted" &&
      invoiceStatus === "uncollectible" &&
      policy?.finalAction === "uncollectible";
    if (policy === null || !(isOpenDunning(row) || isLeftPastDue)) return [];
    return [{ ...accessAt(policy, startedAt, now), invoiceId }];
  });
  if (accesses.length === 0) return fullAccess;
  const strictest = strictestAccess(accesses);
  const cause = accesses.find(({ level }) => level === strictest.level)?.invoiceId ?? null;
  return { ...strictest, invoiceId: strictest.level === "granted" ? null : cause };
}
