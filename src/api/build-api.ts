import Fastify, { LogController } from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import { newestVersions, publishedMeters } from "../db/usage/meters-in-force.ts";
import type { ApiInstance } from "./api-instance.ts";
import { auditWrites } from "./audit.ts";
import { authenticate } from "./authentication.ts";
import { consoleAssets } from "./console-assets.ts";
import { customerTimes } from "./customer-time.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { documentRoutes } from "./documentation.ts";
import { handleErrors, refuseUnread } from "./error-handler.ts";
import { healthRoutes } from "./health.ts";
import { makeWritesIdempotent } from "./idempotency.ts";
import { measureWatermarks } from "./ingest/watermark-metrics.ts";
import { observeRequests, requestIdOf } from "./observation.ts";
import { limitRates } from "./rate-limit.ts";
import { adjustmentRoutes } from "./routes/adjustments.ts";
import { alertRoutes } from "./routes/alerts.ts";
import { anomalyRoutes } from "./routes/anomalies.ts";
import { apiKeyRoutes } from "./routes/api-keys.ts";
import { approvalRoutes } from "./routes/approvals.ts";
import { auditEventRoutes } from "./routes/audit-events.ts";
import { calculateRoutes } from "./routes/calculate.ts";
import { campaignRoutes } from "./routes/campaigns.ts";
import { catalogRoutes } from "./routes/catalog.ts";
import { catalogPlanRoutes } from "./routes/catalog-plan.ts";
import { couponRoutes } from "./routes/coupons.ts";
import { creditBalanceRoutes } from "./routes/credit-balances.ts";
import { creditNoteApprovalRoutes } from "./routes/credit-note-approvals.ts";
import { creditNoteRoutes } from "./routes/credit-notes.ts";
import { creditRoutes } from "./routes/credits.ts";
import { customerInvoicingRoutes } from "./routes/customer-invoicing.ts";
import { customerTaxRoutes } from "./routes/customer-tax.ts";
import { customerTimelineRoutes } from "./routes/customer-timeline.ts";
import { customerRoutes } from "./routes/customers.ts";
import { disputeRoutes } from "./routes/disputes.ts";
import { draftInvoiceRoutes } from "./routes/draft-invoices.ts";
import { dunningRoutes } from "./routes/dunning.ts";
import { entitlementRoutes } from "./routes/entitlements.ts";
import { eventBillingRoutes } from "./routes/event-billing.ts";
import { eventsRoutes } from "./routes/events.ts";
import { featureGrantRoutes } from "./routes/feature-grants.ts";
import { foreseenInvoicesRoute } from "./routes/foreseen-invoices.ts";
import { grantHolderRoutes } from "./routes/grant-holders.ts";
import { hostedPageRoutes } from "./routes/hosted-pages.ts";
import { invoiceDocumentRoutes } from "./routes/invoice-documents.ts";
import { invoiceExplanationRoutes } from "./routes/invoice-explanations.ts";
import { invoiceLineEventsRoutes } from "./routes/invoice-line-events.ts";
import { invoiceVoidRoutes } from "./routes/invoice-voids.ts";
import { invoiceRoutes } from "./routes/invoices.ts";
import { ledgerRoutes } from "./routes/ledger.ts";
import { meterBackfillRoutes } from "./routes/meter-backfills.ts";
import { noticeRoutes } from "./routes/notices.ts";
import { operationRoutes } from "./routes/operations.ts";
import { paymentMethodRoutes } from "./routes/payment-methods.ts";
import { payoutRoutes } from "./routes/payouts.ts";
import { peopleRoutes } from "./routes/people.ts";
import { portalTokenRoutes } from "./routes/portal-tokens.ts";
import { recurringGrantRoutes } from "./routes/recurring-grants.ts";
import { redemptionRoutes } from "./routes/redemptions.ts";
import { refundRoutes } from "./routes/refunds.ts";
import { reportRoutes } from "./routes/reports.ts";
import { reservationRoutes } from "./routes/reservations.ts";
import { searchRoutes } from "./routes/search.ts";
import { sellerRoutes } from "./routes/seller.ts";
import { sessionRoutes } from "./routes/session.ts";
import { signInRoutes } from "./routes/sign-in.ts";
import { spenderRoutes } from "./routes/spenders.ts";
import { spendingCapRoutes } from "./routes/spending-caps.ts";
import { stripeEventRoutes } from "./routes/stripe-events.ts";
import { stripeMeterRoutes } from "./routes/stripe-meters.ts";
import { subscriptionChangeRoutes } from "./routes/subscription-changes.ts";
import { subscriptionRoutes } from "./routes/subscriptions.ts";
import { testClockRoutes } from "./routes/test-clocks.ts";
import { topUpRuleRoutes } from "./routes/top-up-rules.ts";
import { upcomingInvoiceRoutes } from "./routes/upcoming-invoice.ts";
import { usageRoutes } from "./routes/usage.ts";
import { usageAccountingRoutes } from "./routes/usage-accounting.ts";
import { usageBackfillRoutes } from "./routes/usage-backfills.ts";
import { usageCorrectionRoutes } from "./routes/usage-corrections.ts";
import { usageCostRoutes } from "./routes/usage-cost.ts";
import { usageWatermarkRoutes } from "./routes/usage-watermarks.ts";
import { webhookDeliveryRoutes } from "./routes/webhook-deliveries.ts";
import { webhookEndpointRoutes } from "./routes/webhook-endpoints.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import { secureAnswers } from "./security-headers.ts";
import { validatorCompiler } from "./validation.ts";

const bodyBytesMax = 1_048_576;
const requestMsMax = 30_000;
/** Nothing moves on a connection for so long when somebody does not take his answer. */
const silenceMsMax = 60_000;

/** The whole API, ready to listen or to be asked for its OpenAPI document. Nothing in it is global. */
export async function buildApi(deps: ApiDependencies): Promise<ApiInstance> {
  const api: ApiInstance = Fastify({
    loggerInstance: deps.logger,
    // Our own line for each request is written by `observeRequests`.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "request_id" }),
    genReqId: requestIdOf,
    bodyLimit: bodyBytesMax,
    requestTimeout: requestMsMax,
    connectionTimeout: silenceMsMax,
    // What is too long for an id is refused as one, not by the router.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 16_384 },
    frameworkErrors: refuseUnread,
    exposeHeadRoutes: false,
  });
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  // The order of these is the order in which a request meets them.
  observeRequests(api, deps);
  handleErrors(api);
  authenticate(api, deps);
  limitRates(api, deps);
  makeWritesIdempotent(api, deps);
  auditWrites(api, deps);
  secureAnswers(api);
  await documentRoutes(api);
  healthRoutes(api, deps);
  if (deps.signIn !== undefined) signInRoutes(api, { ...deps, signIn: deps.signIn });
  sessionRoutes(api, deps);
  peopleRoutes(api, deps);
  portalTokenRoutes(api, deps);
  auditEventRoutes(api, deps);
  apiKeyRoutes(api, deps);
  catalogRoutes(api, deps);
  catalogPlanRoutes(api, deps);
  calculateRoutes(api);
  customerRoutes(api, deps);
  searchRoutes(api, deps);
  customerTimelineRoutes(api, deps);
  reportRoutes(api, deps);
  anomalyRoutes(api, deps);
  customerTaxRoutes(api, deps);
  customerInvoicingRoutes(api, deps);
  paymentMethodRoutes(api, deps);
  hostedPageRoutes(api, deps);
  creditRoutes(api, deps);
  creditBalanceRoutes(api, deps);
  recurringGrantRoutes(api, deps);
  topUpRuleRoutes(api, deps);
  campaignRoutes(api, deps);
  couponRoutes(api, deps);
  redemptionRoutes(api, deps);
  alertRoutes(api, deps);
  adjustmentRoutes(api, deps);
  approvalRoutes(api, deps);
  subscriptionRoutes(api, deps);
  subscriptionChangeRoutes(api, deps);
  invoiceRoutes(api, deps);
  dunningRoutes(api, deps);
  invoiceLineEventsRoutes(api, deps);
  invoiceDocumentRoutes(api, deps);
  invoiceVoidRoutes(api, deps);
  draftInvoiceRoutes(api, deps);
  upcomingInvoiceRoutes(api, deps);
  foreseenInvoicesRoute(api, deps);
  invoiceExplanationRoutes(api, deps);
  creditNoteRoutes(api, deps);
  creditNoteApprovalRoutes(api, deps);
  refundRoutes(api, deps);
  disputeRoutes(api, deps);
  payoutRoutes(api, deps);
  stripeMeterRoutes(api, deps);
  sellerRoutes(api, deps);
  ledgerRoutes(api, deps);
  testClockRoutes(api, deps);
  operationRoutes(api, deps);
  stripeEventRoutes(api, deps);
  const nowFor = customerTimes(deps);
  const meters = async () => newestVersions(await publishedMeters(deps.db.orm));
  await eventsRoutes(api, { ...deps, nowFor });
  meterBackfillRoutes(api, deps);
  usageAccountingRoutes(api, deps);
  usageCostRoutes(api, deps);
  eventBillingRoutes(api, deps);
  usageRoutes(api, deps);
  await entitlementRoutes(api, deps);
  featureGrantRoutes(api, deps);
  reservationRoutes(api, deps);
  spendingCapRoutes(api, deps);
  spenderRoutes(api, deps);
  grantHolderRoutes(api, deps);
  usageCorrectionRoutes(api, deps);
  usageBackfillRoutes(api, deps);
  usageWatermarkRoutes(api, { ...deps, meters, nowFor });
  measureWatermarks(deps);
  webhookEndpointRoutes(api, deps);
  webhookDeliveryRoutes(api, deps);
  noticeRoutes(api, deps);
  await webhookRoutes(api, deps);
  await consoleAssets(api);
  await api.ready();
  return api;
}
