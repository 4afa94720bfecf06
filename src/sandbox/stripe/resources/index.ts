import type { Route } from "../http/route.ts";
import { customerBalanceRoutes } from "./customer-balance.ts";
import { customerRoutes } from "./customers.ts";
import { disputeRoutes } from "./disputes.ts";
import { eventRoutes } from "./events.ts";
import { invoiceCollectionRoutes } from "./invoice-collection.ts";
import { invoiceItemRoutes } from "./invoice-items.ts";
import { invoiceLineRoutes } from "./invoice-line-routes.ts";
import { invoiceRoutes } from "./invoices.ts";
import { paymentIntentRoutes } from "./payment-intents.ts";
import { paymentMethodRoutes } from "./payment-methods.ts";
import { payoutRoutes } from "./payouts.ts";
import { readOnlyRoutes } from "./read-only.ts";
import { refundRoutes } from "./refunds.ts";
import { setupIntentRoutes } from "./setup-intents.ts";
import { webhookEndpointRoutes } from "./webhook-endpoints.ts";

const accountRoute: Route = {
  operation: "GET /v1/account",
  honours: [],
  handle: ({ tx }) => ({
    id: tx.accountId,
    object: "account",
    charges_enabled: true,
    country: "US",
    default_currency: "usd",
    details_submitted: true,
    payouts_enabled: true,
    settings: { dashboard: { display_name: "Sandbox", timezone: "Etc/UTC" } },
    type: "standard",
  }),
};

/** Every operation of the stand-in. Anything else answers 404 in Stripe's shape. */
export const routes: readonly Route[] = [
  accountRoute,
  ...customerBalanceRoutes,
  ...customerRoutes,
  ...disputeRoutes,
  ...eventRoutes,
  ...invoiceCollectionRoutes,
  ...invoiceItemRoutes,
  ...invoiceLineRoutes,
  ...invoiceRoutes,
  ...paymentIntentRoutes,
  ...paymentMethodRoutes,
  ...payoutRoutes,
  ...readOnlyRoutes,
  ...refundRoutes,
  ...setupIntentRoutes,
  ...webhookEndpointRoutes,
];
