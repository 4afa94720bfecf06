import { z } from "zod";

/** Every error the API answers with: RFC 9457, sent as application/problem+json. */
export const problemSchema = z
  .object({
    type: z.string().describe("Identifies the kind of problem: `urn:reckoner:problem:` and the code."),
    title: z.string().describe("The code in words."),
    status: z.number().int().describe("The HTTP status."),
    code: z.string().describe("Stable: branch on this."),
    detail: z.string().describe("What is wrong with this request and what to do, for people."),
    field: z.string().optional().describe("The input at fault, for example `items[0].seats`."),
    faults: z
      .array(z.object({ field: z.string(), detail: z.string() }))
      .optional()
      .describe("All that is wrong with the request, where there is more than one thing to say."),
    refusals: z
      .array(
        z.object({
          index: z.number().int().describe("Place in the request, from 0."),
          source: z.string(),
          id: z.string(),
          code: z.string().describe("Stable: branch on this."),
          detail: z.string(),
          field: z.string().optional(),
        }),
      )
      .optional()
      .describe("Of requests about several events: which of them are in the way, and why."),
    request_id: z.string().describe("Give this to support; our logs have it."),
  })
  .meta({ id: "Problem" });

export type Problem = z.infer<typeof problemSchema>;

export const problemMediaType = "application/problem+json; charset=utf-8";

/** Said to whoever asks without being known: what every route that is not public may answer. */
export const callerUnknown: readonly string[] = [
  "api_key_missing",
  "api_key_invalid",
  "api_key_revoked",
  "api_key_expired",
  "session_ended",
  "portal_token_invalid",
];

/** The status of each code. A code that is not here is a refusal of the billing rules: 422. */
const codesByStatus: Readonly<Record<number, readonly string[]>> = {
  400: [
    "request_invalid",
    "json_malformed",
    "body_missing",
    "body_incomplete",
    "encoding_malformed",
    "cursor_invalid",
    "idempotency_key_missing",
    "idempotency_key_invalid",
    "webhook_signature_invalid",
    "webhook_mode_invalid",
  ],
  401: [...callerUnknown, "sign_in_refused"],
  402: ["payment_method_declined"],
  403: [
    "scope_missing",
    "role_missing",
    "csrf_token_invalid",
    "portal_refused",
    "test_clocks_refused",
    "approver_is_requester",
    "requester_only",
  ],
  404: [
    "route_not_found",
    "adjustment_not_found",
    "usage_backfill_not_found",
    "usage_correction_not_found",
    "api_key_not_found",
    "audit_event_not_found",
    "person_not_found",
    "portal_token_not_found",
    "session_not_found",
    "credit_note_not_found",
    "refund_not_found",
    "dispute_not_found",
    "invoice_void_not_found",
    "customer_not_found",
    "dunning_not_found",
    "seller_not_found",
    "credit_grant_not_found",
    "feature_grant_not_found",
    "recurring_grant_not_found",
    "invoice_not_found",
    "stripe_event_not_found",
    "draft_invoice_not_found",
    "journal_entry_not_found",
    "ledger_account_not_found",
    "plan_not_found",
    "subscription_not_found",
    "scheduled_change_not_found",
    "test_clock_not_found",
    "meter_backfill_not_found",
    "usage_event_not_found",
    "anomaly_not_found",
    "alert_not_found",
    "campaign_not_found",
    "coupon_not_found",
    "top_up_rule_not_found",
    "notice_not_found",
    "notice_delivery_not_found",
    "webhook_endpoint_not_found",
    "usage_line_not_found",
    "operation_not_found",
    "reservation_not_found",
    "spending_cap_not_found",
    "spender_placement_not_found",
    "run_not_found",
  ],
  409: [
    "webhook_endpoint_disabled",
    "api_key_ended",
    "idempotency_key_reused",
    "idempotency_in_progress",
    "customer_exists",
    "subscription_exists",
    "test_clock_exists",
    "test_clock_busy",
    "subscription_canceled",
    "subscription_incomplete",
    "subscription_incomplete_expired",
    "scheduled_change_resolved",
    "scheduled_change_fixed",
    "subscription_change_in_progress",
    "change_quote_outdated",
    "adjustment_not_pending",
    "recurring_grant_not_active",
    "recurring_grant_not_pending",
    "credit_note_not_pending",
    "credit_note_not_issued",
    "invoice_not_voidable",
    "stripe_event_not_parked",
    "dunning_ended",
    "dunning_disputed",
    "invoice_has_credit_notes",
    "invoice_is_built_on",
    "invoice_gave_credit_back",
    "credit_grant_ended",
    "feature_grant_ended",
    "coupon_not_in_force",
    "coupon_redeemed_already",
    "coupon_not_stackable",
    "coupon_used_up",
    "campaign_budget_spent",
    "coupon_code_taken",
    "referral_exists",
    "tax_missing",
    "tax_quote_outdated",
    "draft_invoice_closed",
    "draft_invoice_in_course",
    "meter_backfill_done",
    "usage_backfill_closed",
    "usage_backfill_reverted",
    "usage_correction_not_pending",
    "usage_event_changed",
    "credit_grant_changed",
    "credit_grant_expired",
    "credit_grant_insufficient",
    "credit_grant_reserved",
    "credit_grant_unpaid",
    "credit_grant_used_up",
    "credit_grant_voided",
    "customer_balance_insufficient",
    "operation_without_target",
    "reservation_id_reused",
    "reservation_not_open",
    "reservation_settled",
  ],
  405: ["method_not_allowed"],
  413: ["body_too_large"],
  415: ["media_type_unsupported", "encoding_unsupported"],
  429: ["too_many_requests"],
  500: ["internal_error"],
  503: ["unavailable"],
};

const statusByCode = new Map(
  Object.entries(codesByStatus).flatMap(([status, codes]) =>
    codes.map((code) => [code, Number(status)] as const),
  ),
);

export const statusOf = (code: string): number => statusByCode.get(code) ?? 422;

export function problem(code: string, detail: string, requestId: string, field?: string): Problem {
  return {
    type: `urn:reckoner:problem:${code}`,
    title: titleOf(code),
    status: statusOf(code),
    code,
    detail,
    ...(field === undefined ? {} : { field }),
    request_id: requestId,
  };
}

/** `api_key_missing` → "API key missing". */
function titleOf(code: string): string {
  const words = code
    .replaceAll("_", " ")
    .replace(/\bapi\b/g, "API")
    .replace(/\bjson\b/g, "JSON");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
