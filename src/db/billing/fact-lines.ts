import { and, asc, eq } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import {
  creditPurchaseLine,
  type InvoiceLine,
  linesInAdvance,
  termsAt,
} from "../../domain/invoicing/index.ts";
import { money } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { subscriptionChange } from "../schema/billing.ts";
import { findGrantOfInvoice } from "./credit-grants.ts";
import { firstOf } from "./invoice-voids.ts";
import type { StoredInvoice } from "./invoices.ts";
import { lineFromJson } from "./line-json.ts";
import { anchoredPeriodAt, findSubscription, termsHistory } from "./subscriptions.ts";

/** What the first period of a subscription costs in advance, by the terms that it began with. */
export async function activationLines(tx: Tx, { subscriptionId }: StoredInvoice): Promise<InvoiceLine[]> {
  invariant(subscriptionId !== null, "an activation is of a subscription");
  const subscription = await findSubscription(tx, subscriptionId);
  invariant(subscription, "the subscription of an invoice exists");
  const { startedAt } = subscription;
  const terms = termsAt(await termsHistory(tx, subscriptionId), startedAt);
  const { period, full } = anchoredPeriodAt(subscription, startedAt);
  // A change that ended the period early came later.
  const begun = { start: period.start, end: full.end };
  return linesInAdvance(terms, begun, 0, { full, timeZone: subscription.timeZone });
}

/** The lines of a change, as they were written down with it: the fact that its invoice follows from. */
export async function changeLines(tx: Tx, { id, replaces }: StoredInvoice): Promise<InvoiceLine[]> {
  const found = await tx
    .select({ lines: subscriptionChange.lines })
    .from(subscriptionChange)
    .where(eq(subscriptionChange.invoiceId, replaces ?? id));
  return found.flatMap(({ lines }) => (lines as unknown[]).map(lineFromJson));
}

/** The one line of credits that are bought. */
export async function purchaseLines(tx: Tx, { id }: StoredInvoice, at: Instant): Promise<InvoiceLine[]> {
  const grant = await findGrantOfInvoice(tx, id);
  return grant === undefined
    ? []
    : [creditPurchaseLine({ grantId: grant.id, amount: money(grant.amountMinor, grant.currency), at })];
}

/** Lines of changes that had waited for the invoice of a subscription's period, or for one that it bills anew. */
export async function waitingLines(
  tx: Tx,
  invoice: StoredInvoice & { readonly subscriptionId: string },
): Promise<InvoiceLine[]> {
  const { id } = await firstOf(tx, invoice);
  const found = await tx
    .select({ lines: subscriptionChange.lines })
    .from(subscriptionChange)
    .where(
      and(
        eq(subscriptionChange.subscriptionId, invoice.subscriptionId),
        eq(subscriptionChange.invoiceId, id),
      ),
    )
    .orderBy(asc(subscriptionChange.effectiveAt));
  return found.flatMap(({ lines }) => (lines as unknown[]).map(lineFromJson));
}
