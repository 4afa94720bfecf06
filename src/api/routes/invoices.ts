import { z } from "zod";
import { listInvoices } from "../../db/billing/api-reads.ts";
import { disputesOf } from "../../db/billing/disputes.ts";
import { partsOfInvoice, type StoredPart } from "../../db/billing/invoice-parts.ts";
import {
  findInvoice,
  linesOfInvoice,
  type StoredInvoice,
  type StoredInvoiceLine,
} from "../../db/billing/invoices.ts";
import {
  attemptsOf,
  findDunning,
  paymentsOf,
  type StoredAttempt,
  type StoredDunning,
} from "../../db/billing/payments.ts";
import { refundsOf } from "../../db/billing/refunds.ts";
import { inTransaction, type Tx } from "../../db/database.ts";
import { entriesOfInvoice } from "../../db/ledger/ledger.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { renameFields, snakeCase } from "../field-names.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idInput, idParams, isoOrNull } from "../wire.ts";
import { disputeAnswer } from "./disputes.ts";
import { entryAnswer, entrySchema } from "./entries.ts";
import {
  invoiceDetailSchema,
  type invoiceLineSchema,
  type invoicePartSchema,
  invoiceSchema,
  invoiceStatus,
  type paymentAttemptSchema,
} from "./invoice-schemas.ts";
import { refundAnswer } from "./refund-schemas.ts";

const tags = ["Invoices"];

export function invoiceRoutes(api: ApiInstance, deps: ApiDependencies): void {
  getInvoices(api, deps);
  getInvoice(api, deps);
  getInvoiceEntries(api, deps);
}

const invoicesQuery = pageQuery.extend({ customer: idInput.optional(), status: invoiceStatus.optional() });

function getInvoices(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/invoices",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List invoices, the newest first",
        querystring: invoicesQuery,
        response: { 200: listOf(invoiceSchema) },
      },
    },
    async ({ query }) => {
      const { customer: customerId, status } = query;
      const page = await listInvoices(db.orm, { customerId, status }, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, invoiceAnswer);
    },
  );
}

function getInvoice(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/invoices/:id",
    {
      config: { scope: "read", refusals: ["invoice_not_found"] },
      schema: {
        tags,
        summary: "An invoice with its lines, payments and journal entries",
        params: idParams,
        response: { 200: invoiceDetailSchema },
      },
    },
    // One snapshot: an answer that says paid also has the payment and its entry.
    async ({ params: { id } }) =>
      inTransaction(db, (tx) => invoiceDetail(tx, id), { isolation: "repeatable read" }),
  );
}

async function invoiceDetail(tx: Tx, id: string): Promise<z.infer<typeof invoiceDetailSchema>> {
  const invoice = found(await findInvoice(tx, id), "invoice", id);
  const lines = await linesOfInvoice(tx, id);
  const payments = await paymentsOf(tx, id);
  const attempts = await attemptsOf(tx, id);
  const refunds = await refundsOf(tx, { invoiceId: id });
  const disputes = await disputesOf(tx, id);
  const dunning = await findDunning(tx, id);
  const entries = await entriesOfInvoice(tx, id);
  return {
    ...invoiceAnswer(invoice),
    parts: (await partsOfInvoice(tx, id)).map(partAnswer),
    lines: lines.map(lineAnswer),
    payments: payments.map(({ stripePaymentIntentId, stripeChargeId, amountMinor, receivedAt }) => ({
      stripe_payment_intent: stripePaymentIntentId,
      stripe_charge: stripeChargeId,
      amount_minor: amountMinor.toString(),
      received_at: isoOf(receivedAt),
    })),
    payment_attempts: attempts.map(attemptAnswer),
    refunds: refunds.map(refundAnswer),
    disputes: disputes.map(disputeAnswer),
    dunning: dunning === undefined ? null : dunningAnswer(dunning),
    entries: entries.map(entryAnswer),
  };
}

function getInvoiceEntries(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/invoices/:id/entries",
    {
      config: { scope: "read", refusals: ["invoice_not_found"] },
      schema: {
        tags,
        summary: "All journal entries about an invoice, the oldest first",
        params: idParams,
        response: { 200: listOf(entrySchema) },
      },
    },
    async ({ params: { id } }) => {
      found(await findInvoice(db.orm, id), "invoice", id);
      return { data: (await entriesOfInvoice(db.orm, id)).map(entryAnswer), next_cursor: null };
    },
  );
}

function invoiceAnswer(invoice: StoredInvoice): z.infer<typeof invoiceSchema> {
  return {
    id: invoice.id,
    number: invoice.number,
    kind: invoice.kind,
    status: invoice.status,
    customer: invoice.customerId,
    subscription: invoice.subscriptionId,
    currency: invoice.currency,
    period_start: isoOrNull(invoice.periodStart),
    period_end: isoOrNull(invoice.periodEnd),
    subtotal_minor: invoice.subtotalMinor.toString(),
    tax_minor: invoice.taxMinor.toString(),
    credits_applied_minor: invoice.creditsAppliedMinor.toString(),
    balance_applied_minor: invoice.balanceAppliedMinor.toString(),
    total_minor: invoice.totalMinor.toString(),
    amount_paid_minor: invoice.amountPaidMinor.toString(),
    credited_minor: invoice.creditedMinor.toString(),
    issued_at: isoOf(invoice.issuedAt),
    usage_complete_until: isoOrNull(invoice.usageCompleteUntil),
    usage_known_by: invoice.usageKnownBy,
    usage_held_back_by: invoice.usageHeldBackBy,
    paid_at: isoOrNull(invoice.paidAt),
    stripe_invoice: invoice.stripeInvoiceId,
    hosted_invoice_url: invoice.hostedInvoiceUrl,
    replaces: invoice.replaces,
  };
}

/** A charge, or one that was withheld. */
export function attemptAnswer(attempt: StoredAttempt): z.infer<typeof paymentAttemptSchema> {
  return {
    attempt: attempt.attempt,
    cause: attempt.cause,
    outcome: attempt.outcome,
    decline_code: attempt.declineCode,
    attempted_at: isoOf(attempt.attemptedAt),
  };
}

function partAnswer(part: StoredPart): z.infer<typeof invoicePartSchema> {
  return {
    part: part.part,
    subscription: part.subscriptionId,
    period_start: isoOrNull(part.periodStart),
    period_end: isoOrNull(part.periodEnd),
    usage_complete_until: isoOrNull(part.usageCompleteUntil),
    usage_known_by: part.usageKnownBy,
    usage_held_back_by: part.usageHeldBackBy,
  };
}

function lineAnswer(line: StoredInvoiceLine): z.infer<typeof invoiceLineSchema> {
  return {
    line: line.line,
    part: line.part,
    kind: line.kind,
    description: line.description,
    product: line.product,
    plan: line.planKey,
    plan_version: line.planVersion,
    price: line.priceKey,
    period_start: isoOf(line.periodStart),
    period_end: isoOf(line.periodEnd),
    quantity: line.quantity,
    amount_minor: line.amountMinor.toString(),
    exact_minor: line.exactMinor,
    detail: lineDetail(line.detail),
  };
}

/** The keys of `where` are dimensions, which the catalog's author has named. */
const opaque = new Set(["where"]);
const lineDetail = (detail: unknown) =>
  z.record(z.string(), z.unknown()).parse(renameFields(detail, snakeCase, opaque));

function dunningAnswer({ state, attempts, startedAt, nextAttemptAt, endedAt }: StoredDunning) {
  return {
    state,
    attempts,
    started_at: isoOf(startedAt),
    next_attempt_at: isoOrNull(nextAttemptAt),
    ended_at: isoOrNull(endedAt),
  };
}
