/**
 * What every table is, said once: the invariants and the tests take it from here, and a table that is missing here breaks
 * both. Partitions are as their table is.
 */

/** Facts: written once, never changed. */
export const factTables: readonly string[] = [
  "ledger.chart_account",
  "ledger.account",
  "ledger.journal_entry",
  "ledger.posting",
  "ledger.accounting_period",
  "ledger.entry_range",
  "ledger.hold",
  "ledger.hold_line",
  "ledger.hold_resolution",
  "ledger.seal",
  "usage.event_key",
  "usage.dimensions",
  "usage.event",
  "usage.later_contribution",
  "usage.event_conflict",
  "usage.quarantined_event",
  "usage.archived_month",
  "usage.archived_contribution",
  "usage.log_refusal",
  "usage.meter_backfill",
  "usage.meter_backfill_page",
  "usage.meter_backfill_refusal",
  "usage.meter_backfill_end",
  "usage.backfill",
  "usage.backfill_closing",
  "usage.backfill_event",
  "usage.correction",
  "usage.correction_event",
  "usage.correction_decision",
  "usage.correction_booking",
  "catalog.meter",
  "catalog.plan",
  "catalog.cost_table",
  "catalog.feature",
  "catalog.dunning_policy",
  "billing.subscription_terms",
  "billing.scheduled_change",
  "billing.scheduled_change_resolution",
  "billing.invoice_line",
  "billing.rating_run",
  "billing.rated_usage",
  "billing.rated_adjustment",
  "billing.price_agreement",
  "billing.credit_grant",
  "billing.credit_grant_end",
  "billing.credit_draw",
  "billing.credit_return",
  "billing.recurring_grant_decision",
  "billing.recurring_grant_end",
  "billing.payment_attempt",
  "billing.payment",
  "billing.dunning_policy_choice",
  "billing.dunning_command",
  "billing.dunning_notice",
  "billing.adjustment",
  "billing.adjustment_decision",
  "billing.invoice_facts",
  "billing.invoice_void_request",
  "billing.invoice_void",
  "billing.seller",
  "billing.credit_note_request",
  "billing.credit_note_line",
  "billing.credit_note_decision",
  "billing.credit_note",
  "notice.delivery_attempt",
  "access.operation",
  "access.operation_target",
  "access.operation_outcome",
];

/** Follow from facts, written by triggers alone, and stay as they were written. */
export const derivedOnceTables: readonly string[] = [
  "ledger.entry_key",
  "ledger.account_history",
  "ledger.period_balance",
  "ledger.carried_month",
];

/** Follow from facts, or from what others last said; written by triggers and functions alone, and change with each. */
export const derivedTables: readonly string[] = [
  "ledger.account_balance",
  "ledger.balance_delta",
  "ledger.open_hold",
  "usage.window",
  "usage.window_level",
  "usage.window_value",
  "usage.folded",
  "usage.source_heartbeat",
  "usage.active_source",
  "usage.arrival_lag",
];

/** Records with a state: their columns that the application may change. All others stay as they were written. */
export const changeableColumns: Readonly<Record<string, readonly string[]>> = {
  "billing.test_clock": ["current_at", "target_at", "is_settled"],
  "billing.customer": ["name", "email", "stripe_customer_id", "payment_method"],
  "billing.subscription": [
    "status",
    "billed_through",
    "next_close_at",
    "cancel_at",
    "canceled_at",
    "anchors",
  ],
  "billing.subscription_change": ["invoice_id"],
  "billing.invoice": [
    "status",
    "amount_paid_minor",
    "credited_minor",
    "paid_at",
    "stripe_invoice_id",
    "hosted_invoice_url",
    "collected_by",
  ],
  "billing.number_series": ["last_number"],
  "billing.recurring_grant": ["next_occurrence", "next_at"],
  "billing.dunning": ["state", "attempts", "next_attempt_at", "ended_at", "next_at", "why"],
  "billing.card_attempt": ["outcome", "ends_card"],
  "billing.invoice_dispute": ["is_open"],
  "stripe.operation": ["state", "response", "error", "finished_at"],
  "stripe.webhook_inbox": ["state", "attempts", "next_attempt_at", "last_error", "finished_at"],
  "usage.log_position": ["next_offset", "claim", "claimed_by", "claimed_at", "moved_at"],
  "access.api_key": ["revoked_at"],
  "notice.notice": ["body", "composed_at"],
  "notice.endpoint": ["url", "description", "kinds", "state", "reason", "failing_since"],
  "notice.endpoint_secret": ["expires_at"],
  "notice.mail_preference": ["suppressed_kinds", "changed_at"],
  "notice.delivery": ["state", "attempts", "attempts_before", "next_attempt_at", "finished_at"],
};

/** Claims of requests under way: these columns may change, and the row may go, until it is answered. Then it is a fact. */
export const claimColumns: Readonly<Record<string, readonly string[]>> = {
  "access.idempotency_key": ["claimed_until", "claim", "status", "response"],
};

/** Not the application's at all: it cannot even read them. */
export const foreignTables: readonly string[] = ["public.migration"];

/** Rules of single tables, as table.trigger. */
const ruleTriggers: readonly string[] = [
  "ledger.account.open_balances",
  "ledger.hold.open_holds",
  "ledger.hold_line.set_aside",
  "ledger.hold_resolution.give_back",
  "ledger.journal_entry.check_entries",
  "ledger.journal_entry.adjustment_is_admitted",
  "ledger.posting.apply_postings",
  "usage.log_position.position_goes_forward",
  "usage.later_contribution.archived_months_are_kept",
  "billing.subscription_change.invoice_is_named_once",
  "billing.invoice.final_state_is_final",
  "billing.card_attempt.outcome_is_final",
  "billing.invoice_dispute.closed_is_final",
  "billing.credit_return.admit_return",
  "billing.recurring_grant.admit_recurring_grant",
  "billing.recurring_grant_decision.admit_recurring_decision",
  "billing.adjustment.admit_adjustment",
  "billing.adjustment_decision.admit_decision",
  "billing.number_series.numbers_go_up_by_one",
  "billing.credit_note_request.admit_credit_note",
  "billing.credit_note_line.line_has_room",
  "billing.credit_note_decision.admit_credit_note_decision",
  "billing.credit_note.credit_note_is_admitted",
  "access.api_key.revocation_is_final",
  "notice.notice.body_is_written_once",
  "notice.endpoint.deletion_is_final",
  "access.idempotency_key.answer_is_kept",
  "access.idempotency_key.answers_are_kept",
];

const of = (tables: readonly string[], ...triggers: readonly string[]) =>
  tables.flatMap((table) => triggers.map((trigger) => `${table}.${trigger}`));

/** Every trigger that there must be. */
export const guards: readonly string[] = [
  ...of([...factTables, ...derivedOnceTables], "append_only_rows", "append_only_table"),
  ...of([...derivedOnceTables, ...derivedTables], "guard_derived"),
  ...of(Object.keys(changeableColumns), "all_else_is_fixed", "rows_are_kept", "table_is_kept"),
  ...ruleTriggers,
];

/** Functions that act with their owner's rights and that the application may run: what it can write where it has no right. */
export const ownersFunctions: readonly string[] = [
  "ledger.post_entries",
  "ledger.place_holds",
  "ledger.settle_holds",
  "ledger.release_holds",
  "ledger.expire_holds",
  "ledger.fold_hot_balances",
  "ledger.close_period",
  "ledger.carry_closed_month",
  "ledger.prepare_partitions",
  "ledger.seal_closed_range",
  "usage.ingest",
  "usage.release",
  "usage.dimension_numbers",
  "usage.open_months",
  "usage.judge_archived",
  "usage.fold",
  "usage.repair_windows",
  "usage.refuse_from_log",
  "usage.note_heartbeat",
  "usage.end_heartbeats",
  "usage.open_backfill",
  "usage.close_backfill",
  "usage.add_to_backfill",
  "usage.request_correction",
  "usage.decide_correction",
  "usage.book_correction",
  "usage.start_meter_backfill",
  "usage.claim_meter_backfill",
  "usage.write_meter_backfill_page",
  "usage.cancel_meter_backfill",
];
