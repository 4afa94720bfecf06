import type { Stripe } from "stripe";
import type { Instant } from "../domain/calendar/index.ts";
import { BillingError } from "../domain/errors.ts";
import { amountToCollect } from "./amounts.ts";
import { lineBatches, type MirrorLine } from "./invoice-lines.ts";
import { type OperationLog, recordedCall } from "./operations.ts";

export type InvoiceToMirror = {
  readonly invoiceId: string;
  readonly number: string;
  readonly customerId: string;
  readonly stripeCustomerId: string;
  readonly currency: string;
  readonly lines: readonly MirrorLine[];
  /** What is to be collected, in whole minor units as decimal text. */
  readonly totalMinor: string;
  /** Added to the metadata by which webhooks find their way back; `reckoner_workflow` belongs here. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly at: Instant;
};

export type MirroredInvoice = {
  readonly stripeInvoiceId: string;
  readonly hostedInvoiceUrl: string;
  readonly status: string;
};

/** Stripe would ask for another amount than we do. The draft stays where it is, unsent, for a person to look at. */
export class StripeTotalDiffersError extends BillingError {
  readonly code = "stripe_total_differs";

  constructor(invoiceId: string, stripeInvoiceId: string, wanted: string, stripeTotal: string) {
    super(
      `invoice ${invoiceId} is ${wanted} as Stripe counts, but its mirror ${stripeInvoiceId} is ${stripeTotal}`,
    );
  }
}

/** Makes Stripe's copy of an issued invoice: a draft, its lines, and, once the totals agree, final. */
export async function mirrorInvoice(
  stripe: Stripe,
  log: OperationLog,
  invoice: InvoiceToMirror,
): Promise<MirroredInvoice> {
  const wanted = String(amountToCollect(invoice.totalMinor, invoice.currency));
  const { stripeInvoiceId } = await createDraft(stripe, log, invoice);
  let stripeTotalMinor = "0";
  for (const [index, lines] of lineBatches(invoice.lines, invoice).entries()) {
    stripeTotalMinor = await addLines(stripe, log, invoice, stripeInvoiceId, index, lines);
  }
  if (stripeTotalMinor !== wanted) {
    throw new StripeTotalDiffersError(invoice.invoiceId, stripeInvoiceId, wanted, stripeTotalMinor);
  }
  return await finalize(stripe, log, invoice, stripeInvoiceId);
}

/** Collection is ours: nothing here lets Stripe finalise, charge or retry by itself. */
async function createDraft(
  stripe: Stripe,
  log: OperationLog,
  invoice: InvoiceToMirror,
): Promise<{ stripeInvoiceId: string }> {
  const body: Stripe.InvoiceCreateParams = {
    customer: invoice.stripeCustomerId,
    currency: invoice.currency,
    number: invoice.number,
    auto_advance: false,
    collection_method: "charge_automatically",
    pending_invoice_items_behavior: "exclude",
    metadata: {
      ...invoice.metadata,
      reckoner_invoice: invoice.invoiceId,
      reckoner_customer: invoice.customerId,
    },
  };
  return await recordedCall({
    log,
    key: `invoice/${invoice.invoiceId}/create`,
    operation: "POST /v1/invoices",
    body,
    at: invoice.at,
    send: async (options) => ({ stripeInvoiceId: (await stripe.invoices.create(body, options)).id }),
    find: async () => {
      for await (const found of stripe.invoices.list({ customer: invoice.stripeCustomerId, limit: 100 })) {
        if (found.metadata?.reckoner_invoice === invoice.invoiceId) return { stripeInvoiceId: found.id };
      }
      return undefined;
    },
  });
}

/** Adds one batch; answers the total of the draft with it, in minor units, as Stripe counts it. */
async function addLines(
  stripe: Stripe,
  log: OperationLog,
  { invoiceId, at }: InvoiceToMirror,
  stripeInvoiceId: string,
  index: number,
  lines: Stripe.InvoiceAddLinesParams.Line[],
): Promise<string> {
  const { totalMinor } = await recordedCall({
    log,
    key: `invoice/${invoiceId}/lines/${index}`,
    operation: "POST /v1/invoices/{invoice}/add_lines",
    body: { invoice: stripeInvoiceId, lines },
    at,
    send: async (options) => totalOf(await stripe.invoices.addLines(stripeInvoiceId, { lines }, options)),
    find: async () => {
      // A batch is added as a whole: its last line stands for all of it.
      const wanted = lines.at(-1)?.metadata;
      for await (const line of stripe.invoices.listLineItems(stripeInvoiceId, { limit: 100 })) {
        const isOurs = wanted && line.metadata.reckoner_line === wanted.reckoner_line;
        if (isOurs) return totalOf(await stripe.invoices.retrieve(stripeInvoiceId));
      }
      return undefined;
    },
  });
  return totalMinor;
}

function totalOf(invoice: Stripe.Invoice): { totalMinor: string } {
  return { totalMinor: String(invoice.total) };
}

async function finalize(
  stripe: Stripe,
  log: OperationLog,
  { invoiceId, at }: InvoiceToMirror,
  stripeInvoiceId: string,
): Promise<MirroredInvoice> {
  const body = { auto_advance: false };
  return await recordedCall({
    log,
    key: `invoice/${invoiceId}/finalize`,
    operation: "POST /v1/invoices/{invoice}/finalize",
    body: { invoice: stripeInvoiceId, ...body },
    at,
    send: async (options) => mirrored(await stripe.invoices.finalizeInvoice(stripeInvoiceId, body, options)),
    find: async () => {
      const found = await stripe.invoices.retrieve(stripeInvoiceId);
      return found.status === "draft" ? undefined : mirrored(found);
    },
  });
}

function mirrored(invoice: Stripe.Invoice): MirroredInvoice {
  return {
    stripeInvoiceId: invoice.id,
    hostedInvoiceUrl: invoice.hosted_invoice_url ?? "",
    status: invoice.status ?? "unknown",
  };
}
