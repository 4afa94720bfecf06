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
  for (const secret of usable) {
    try {
      const event = Stripe.webhooks.constructEvent(rawBody, signatureHeader, secret, toleranceSeconds);
      return verified(event, rawBody);
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeSignatureVerificationError)) throw error;
    }
  }
  throw new WebhookSignatureInvalidError();
}

function verified(event: Stripe.Event, rawBody: string): VerifiedWebhook {
  const object = fieldsOf(event.data.object);
  return {
    id: event.id,
    type: event.type,
    apiVersion: event.api_version,
    livemode: event.livemode,
    objectId: textOf(object.id) ?? "",
    objectType: textOf(object.object) ?? "",
    created: event.created,
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
  | { readonly kind: "customer"; readonly stripeCustomerId: string; readonly customerId: string | null }
  | { readonly kind: "dispute"; readonly stripeDisputeId: string }
  | { readonly kind: "refund"; readonly stripeRefundId: string }
  | { readonly kind: "payout"; readonly payoutId: string }
  | { readonly kind: "ignored" };

/** Translates an event by the object it carries. Objects of others on the same account end as `ignored` later. */
export function webhookSubject(event: Pick<VerifiedWebhook, "rawBody">): WebhookSubject {
  const { data } = fieldsOf(JSON.parse(event.rawBody));
  const object = fieldsOf(fieldsOf(data).object);
  const metadata = fieldsOf(object.metadata);
  const id = textOf(object.id);
  switch (object.object) {
    case "invoice":
      return invoiceSubject(id, metadata);
    case "invoice_payment":
      return invoiceSubject(textOf(object.invoice), {});
    case "customer":
      return customerSubject(id, metadata);
    case "payment_method":
    case "setup_intent":
      return customerSubject(textOf(object.customer), {});
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

function invoiceSubject(stripeInvoiceId: string | null, metadata: Fields): WebhookSubject {
  if (stripeInvoiceId === null) return { kind: "ignored" };
  const invoiceId = textOf(metadata.reckoner_invoice);
  return { kind: "invoice", stripeInvoiceId, invoiceId, workflowId: textOf(metadata.reckoner_workflow) };
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
