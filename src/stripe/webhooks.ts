import { Stripe } from "stripe";
import { BillingError } from "../domain/errors.ts";

export class WebhookSignatureInvalidError extends BillingError {
  readonly code = "webhook_signature_invalid";

  constructor() {
    super("the webhook is not signed with a secret of ours, was altered, or is too old");
  }
}

/** A Stripe event whose sender is certain. It is a hint of what to read again, never a source of facts. */
export type VerifiedWebhook = {
  readonly id: string;
  readonly type: string;
  readonly apiVersion: string | null;
  readonly livemode: boolean;
  readonly objectId: string;
  readonly objectType: string;
  /** When Stripe made it, in seconds since 1970. */
  readonly created: number;
  readonly rawBody: string;
};

export type WebhookToVerify = {
  /** The bytes as they came, not parsed and written again. */
  readonly rawBody: string;
  readonly signatureHeader: string;
  /** Every secret that is valid now: two while one replaces the other. */
  readonly secrets: readonly string[];
  readonly toleranceSeconds: number;
};

/** Checks signature and age against each secret. Throws {@link WebhookSignatureInvalidError}. */
export function verifyWebhook({
  rawBody,
  signatureHeader,
  secrets,
  toleranceSeconds,
}: WebhookToVerify): VerifiedWebhook {
  // The SDK takes a tolerance of 0 for "do not check the age" and a blank secret for a bug of the caller.
  const usable = toleranceSeconds > 0 ? secrets.filter((secret) => secret.trim() !== "") : [];
  const { signature } = Stripe.webhooks;
  if (signature === null) throw new Error("the SDK has nothing to verify signatures with");
  for (const secret of usable) {
    try {
      signature.verifyHeader(rawBody, signatureHeader, secret, toleranceSeconds);
      return verified(JSON.parse(rawBody), rawBody);
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw error;
    }
  }
  throw new WebhookSignatureInvalidError();
}

/** A snapshot holds the object as it was then; a thin event says only which one it is about. */
function verified(event: Fields, rawBody: string): VerifiedWebhook {
  const isThin = event.object === "v2.core.event";
  const object = isThin ? fieldsOf(event.related_object) : fieldsOf(fieldsOf(event.data).object);
  const created = isThin ? Date.parse(textOf(event.created) ?? "") / 1000 : Number(event.created);
  return {
    id: textOf(event.id) ?? "",
    type: textOf(event.type) ?? "",
    apiVersion: textOf(event.api_version),
    livemode: event.livemode === true,
    objectId: textOf(object.id) ?? "",
    objectType: textOf(isThin ? object.type : object.object) ?? "",
    created: Math.floor(created),
    rawBody,
  };
}

/** Which of our things a Stripe event is about, and therefore what to read again. */
export type WebhookSubject =
  | {
      readonly kind: "invoice";
      readonly stripeInvoiceId: string;
      /** Our ids from the mirror's metadata; null when the event's object does not carry them. */
      readonly invoiceId: string | null;
      readonly workflowId: string | null;
    }
  | {
      readonly kind: "payment_intent";
      readonly stripePaymentIntentId: string;
      /** Ours, from the metadata; null when the intent is not one by which we collect. */
      readonly invoiceId: string | null;
    }
  | { readonly kind: "customer"; readonly stripeCustomerId: string; readonly customerId: string | null }
  | { readonly kind: "setup"; readonly setupIntentId: string }
  | { readonly kind: "credit_note"; readonly stripeCreditNoteId: string }
  | { readonly kind: "dispute"; readonly stripeDisputeId: string }
  | { readonly kind: "refund"; readonly stripeRefundId: string }
  | { readonly kind: "payout"; readonly payoutId: string }
  /** Something of which nothing is known but where to read it. */
  | { readonly kind: "unread"; readonly path: string }
  /** Stripe's meters took events and did not count them; which, the thin event of this id says to whoever fetches it. */
  | { readonly kind: "meter_errors"; readonly eventId: string }
  | { readonly kind: "ignored" };

/** Translates an event by the object it carries. Objects of others on the same account end as `ignored` later. */
export function webhookSubject(event: Pick<VerifiedWebhook, "rawBody">): WebhookSubject {
  const body = fieldsOf(JSON.parse(event.rawBody));
  if (body.object === "v2.core.event") return thinSubject(body);
  const object = fieldsOf(fieldsOf(body.data).object);
  const metadata = fieldsOf(object.metadata);
  const id = textOf(object.id);
  switch (object.object) {
    case "invoice":
      return invoiceSubject(id, metadata);
    case "invoice_payment":
      return invoiceSubject(textOf(object.invoice), {});
    case "payment_intent":
      return intentSubject(id, metadata);
    case "customer":
      return customerSubject(id, metadata);
    case "payment_method":
      return customerSubject(textOf(object.customer), {});
    case "setup_intent":
      return id === null ? { kind: "ignored" } : { kind: "setup", setupIntentId: id };
    case "credit_note":
      return id === null ? { kind: "ignored" } : { kind: "credit_note", stripeCreditNoteId: id };
    case "dispute":
      return id === null ? { kind: "ignored" } : { kind: "dispute", stripeDisputeId: id };
    case "refund":
      return id === null ? { kind: "ignored" } : { kind: "refund", stripeRefundId: id };
    case "payout":
      return id === null ? { kind: "ignored" } : { kind: "payout", payoutId: id };
    default:
      return { kind: "ignored" };
  }
}

/** The object itself is not in it, and has to be read before more is known. */
function thinSubject(event: Fields): WebhookSubject {
  const eventId = textOf(event.id) ?? "";
  if (textOf(event.type)?.startsWith("v1.billing.meter.")) return { kind: "meter_errors", eventId };
  const path = textOf(fieldsOf(event.related_object).url) ?? "";
  return path.startsWith("/v1/") ? { kind: "unread", path } : { kind: "ignored" };
}

function invoiceSubject(stripeInvoiceId: string | null, metadata: Fields): WebhookSubject {
  if (stripeInvoiceId === null) return { kind: "ignored" };
  const invoiceId = textOf(metadata.reckoner_invoice);
  return { kind: "invoice", stripeInvoiceId, invoiceId, workflowId: textOf(metadata.reckoner_workflow) };
}

function intentSubject(stripePaymentIntentId: string | null, metadata: Fields): WebhookSubject {
  if (stripePaymentIntentId === null) return { kind: "ignored" };
  return { kind: "payment_intent", stripePaymentIntentId, invoiceId: textOf(metadata.reckoner_invoice) };
}

function customerSubject(stripeCustomerId: string | null, metadata: Fields): WebhookSubject {
  if (stripeCustomerId === null) return { kind: "ignored" };
  return { kind: "customer", stripeCustomerId, customerId: textOf(metadata.reckoner_customer) };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return value !== null && typeof value === "object" ? { ...value } : {};
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
