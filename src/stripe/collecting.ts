/**
 * How invoices are collected, one way for a whole deployment. By `invoice`: Stripe holds a copy of each, with a page where it
 * can be paid. By `payment_intent`: Stripe is asked for the amount alone, in one call, and the invoice is ours.
 */
export type Collecting =
  | { readonly by: "invoice" }
  | {
      readonly by: "payment_intent";
      /** Where a bank sends customers back to, after they have confirmed a payment. */
      readonly returnUrl: string;
    };
