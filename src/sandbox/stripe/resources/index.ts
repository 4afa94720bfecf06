import type { Route } from "../http/route.ts";
import { creditNoteRoutes } from "./credit-notes.ts";
import { customerBalanceRoutes } from "./customer-balance.ts";
import { customerRoutes } from "./customers.ts";
import { disputeRoutes } from "./disputes.ts";
import { eventDestinationRoutes } from "./event-destinations.ts";
import { eventRoutes } from "./events.ts";
import { hostedPageRoutes } from "./hosted-pages.ts";
import { invoiceCollectionRoutes } from "./invoice-collection.ts";
import { invoiceItemRoutes } from "./invoice-items.ts";
import { invoiceLineRoutes } from "./invoice-line-routes.ts";
import { invoiceRoutes } from "./invoices.ts";
import { meterEventRoutes } from "./meter-events.ts";
import { meteringStreamRoutes } from "./metering-stream.ts";
import { meterRoutes } from "./meters.ts";
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
  ...creditNoteRoutes,
  ...customerBalanceRoutes,
  ...customerRoutes,
  ...disputeRoutes,
  ...eventDestinationRoutes,
  ...eventRoutes,
  ...hostedPageRoutes,
  ...invoiceCollectionRoutes,
  ...invoiceItemRoutes,
  ...invoiceLineRoutes,
  ...invoiceRoutes,
  ...meterEventRoutes,
  ...meteringStreamRoutes,
  ...meterRoutes,
  ...paymentIntentRoutes,
  ...paymentMethodRoutes,
  ...payoutRoutes,
  ...readOnlyRoutes,
  ...refundRoutes,
  ...setupIntentRoutes,
  ...webhookEndpointRoutes,
];
