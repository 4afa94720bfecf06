import { eq } from "drizzle-orm";
import { type Instant, isoOf, type Period } from "../../domain/calendar/index.ts";
import { kindOfChange } from "../../domain/notices/index.ts";
import type { Tx } from "../database.ts";
import { invoice } from "../schema/billing.ts";
import { enqueueNotice } from "./enqueue-notice.ts";

/** What each fact of billing is told as. Each is called in the fact's own transaction. */

interface InvoiceToTell {
  readonly id: string;
  readonly customerId: string;
}

/** An invoice was issued; one for a threshold says that it was reached, too. */
export async function tellIssued(
  tx: Tx,
  { id, kind, customerId, issuedAt }: InvoiceToTell & { readonly kind: string; readonly issuedAt: Instant },
): Promise<void> {
  const fact = { customerId, subject: { invoiceId: id }, occurredAt: issuedAt };
  await enqueueNotice(tx, { ...fact, kind: "invoice.issued", key: `invoice-issued/${id}` });
  if (kind !== "threshold") return;
  await enqueueNotice(tx, { ...fact, kind: "usage.threshold_reached", key: `threshold-reached/${id}` });
}

/** A period could be closed but for its tax, which somebody outside reckons. */
export async function tellTaxWanted(
  tx: Tx,
  { id, customerId }: { readonly id: string; readonly customerId: string },
  { period, quote, at }: { readonly period: Period; readonly quote: string; readonly at: Instant },
): Promise<void> {
  const periodStart = isoOf(period.start);
  await enqueueNotice(tx, {
    key: `tax-wanted/${id}/${periodStart}/${quote}`,
    kind: "invoice.tax_wanted",
    customerId,
    subject: { subscriptionId: id, periodStart, periodEnd: isoOf(period.end), quote },
    occurredAt: at,
  });
}

/** A charge was declined. */
export async function tellPaymentFailed(
  tx: Tx,
  { id, customerId }: InvoiceToTell,
  { attempt, at }: { readonly attempt: number; readonly at: Instant },
): Promise<void> {
  await enqueueNotice(tx, {
    key: `payment-failed/${id}/${attempt}`,
    kind: "invoice.payment_failed",
    customerId,
    subject: { invoiceId: id, attempt },
    occurredAt: at,
  });
}

/** Money that was to go back did not arrive. */
export async function tellRefundFailed(
  tx: Tx,
  { id: refundId, customerId }: { readonly id: string; readonly customerId: string },
  at: Instant,
): Promise<void> {
  await enqueueNotice(tx, {
    key: `refund-failed/${refundId}`,
    kind: "refund.failed",
    customerId,
    subject: { refundId },
    occurredAt: at,
  });
}

/** What had failed was paid. */
export async function tellRecovered(tx: Tx, { id, customerId }: InvoiceToTell, at: Instant): Promise<void> {
  const key = `payment-recovered/${id}`;
  const subject = { invoiceId: id };
  await enqueueNotice(tx, {
    key,
    kind: "invoice.payment_recovered",
    customerId,
    subject,
    occurredAt: at,
  });
}

/** Dunning has reached moments for which its policy names notices. */
export async function tellDunning(
  tx: Tx,
  said: readonly {
    readonly invoiceId: string;
    readonly fact: string;
    readonly moment: string;
    readonly notice: string;
    readonly saidAt: Instant;
  }[],
): Promise<void> {
  for (const { invoiceId, fact, moment, notice, saidAt } of said) {
    const [row] = await tx
      .select({ customerId: invoice.customerId })
      .from(invoice)
      .where(eq(invoice.id, invoiceId));
    await enqueueNotice(tx, {
      key: `dunning/${invoiceId}/${fact}/${moment}/${notice}`,
      kind: "invoice.dunning",
      customerId: row?.customerId ?? null,
      subject: { invoiceId, moment, notice },
      occurredAt: saidAt,
    });
  }
}

/** A command has changed a subscription. */
export async function tellChange(
  tx: Tx,
  { id: subscriptionId, customerId }: { readonly id: string; readonly customerId: string },
  change: { readonly changeId: string; readonly kind: string; readonly effectiveAt: Instant },
): Promise<void> {
  const kind = kindOfChange(change.kind);
  if (kind === null) return;
  const { changeId, effectiveAt } = change;
  await enqueueNotice(tx, {
    key: `subscription-change/${subscriptionId}/${changeId}`,
    kind,
    customerId,
    subject: { subscriptionId, changeId, change: change.kind, effectiveAt: isoOf(effectiveAt) },
    occurredAt: effectiveAt,
  });
}

/** A subscription has ended. */
export async function tellCanceled(
  tx: Tx,
  { id, customerId }: { readonly id: string; readonly customerId: string },
  at: Instant,
): Promise<void> {
  const effectiveAt = isoOf(at);
  await enqueueNotice(tx, {
    key: `subscription-canceled/${id}/${effectiveAt}`,
    kind: "subscription.canceled",
    customerId,
    subject: { subscriptionId: id, effectiveAt },
    occurredAt: at,
  });
}

/** Credit has run out of time with something left of it. */
export async function tellExpired(
  tx: Tx,
  { id, customerId }: { readonly id: string; readonly customerId: string },
  at: Instant,
): Promise<void> {
  await enqueueNotice(tx, {
    key: `credits-expired/${id}`,
    kind: "credits.expired",
    customerId,
    subject: { grantId: id },
    occurredAt: at,
  });
}
