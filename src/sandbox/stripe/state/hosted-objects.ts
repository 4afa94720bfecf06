import type { Base, Metadata } from "./objects.ts";

/** A page of Stripe's where a customer gives a card. */
export type CheckoutSession = Base<"checkout.session"> & {
  readonly mode: "setup";
  readonly status: "complete" | "expired" | "open";
  readonly customer: string;
  readonly currency?: string | null;
  readonly setup_intent: string;
  readonly success_url: string;
  readonly cancel_url?: string | null;
  readonly expires_at: number;
  readonly url: string;
  readonly payment_method_types: readonly string[];
  readonly metadata: Metadata;
};

/** A page of Stripe's where a customer sees to their cards. */
export type PortalSession = Base<"billing_portal.session"> & {
  readonly customer: string;
  readonly return_url: string;
  readonly url: string;
};
