import { setTimeout as delay } from "node:timers/promises";
import { type Database, inTransaction } from "../../src/db/database.ts";
import { carryClosedMonth, closeAccountingPeriod } from "../../src/db/ledger/ledger.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { tellBilledStory } from "./billed-story.ts";
import { holdsOf, reserve } from "./holds-fixture.ts";
import { draft, fees, fund, type LedgerFixture, move, revenue } from "./ledger-fixture.ts";
import { promoteForEveryTable } from "./promoted-rows.ts";
import { reserveForEveryTable } from "./reserved-rows.ts";

/** The billed story, and what it has no need for, so that every table has a row. */
export async function fillEveryTable(ledger: LedgerFixture): Promise<{ close(): unknown }> {
  const story = await tellBilledStory(ledger.db);
  const inJanuary = { effectiveAt: instant("2025-01-15T00:00:00Z") };
  await ledger.post(draft("early", [move(fees, revenue, 1n)], inJanuary), fund("held", "held", 10n));
  await inTransaction(ledger.db, (tx) => closeAccountingPeriod(tx, "2025-01-01", "alice"));
  await inTransaction(ledger.db, carryClosedMonth);
  const holds = holdsOf(ledger);
  await holds.place(reserve("held/open", "held", 1n), reserve("held/released", "held", 1n));
  await holds.release("held/released");
  await ledger.db.sql`
    insert into access.idempotency_key (actor, key, operation, request_hash, claimed_until)
    select 'api-key/' || id, 'claimed', 'POST /', sha256('x'), now() from access.api_key limit 1`;
  await ledger.owner.sql`
    insert into access.person (id, issuer, subject, name, roles, created_at, signed_in_at)
    values ('alice', 'local', 'alice', 'Alice', '{admin}', now(), now())`;
  await ledger.owner.sql`
    insert into access.session (id, person_id, secret_hash, created_at, used_at, expires_at)
    values ('session', 'alice', sha256('session'), now(), now(), now() + interval '1 hour')`;
  await ledger.owner.sql`
    insert into access.portal_token (id, customer_id, secret_hash, created_by, created_at, expires_at)
    select 'token', id, sha256('token'), 'alice', now(), now() + interval '1 hour' from billing.customer limit 1`;
  await ledger.owner.sql`
    with event as (
      insert into access.audit_event (id, at, actor, rights, operation, resource, verb, path, request_id)
      values ('aud', now(), 'person/alice', '{admin}', 'PUT /v1/seller', 'seller', 'admin', '/v1/seller', '1') returning id
    )
    insert into access.audit_change (audit_event_id, relation, after) select id, 'billing.seller', '{}' from event`;
  await ledger.db.sql`
    with operation as (
      insert into access.operation (id, action, reason, targets, requested_by, requested_at)
      values ('op', 'retry', 'mended', 1, 'alice', now())
    ), target as (
      insert into access.operation_target values ('op', 0, 'cycle/1', 'run')
    )
    insert into access.operation_outcome (operation_id, position, outcome) values ('op', 0, 'done')`;
  await ledger.owner.sql`
    insert into usage.quarantined_event values (1001, now(), now(), 'edge', 'q', 'nobody', 'request', '{}', 'unknown_customer')`;
  await ledger.owner
    .sql`insert into usage.event_conflict values (1, gen_random_uuid(), 'acme', 'request', now(), '{}')`;
  await ledger.db.sql`select usage.note_heartbeat('edge', 'pod-1', now(), null, null)`;
  await ledger.owner.sql`select usage.count_arrivals('0', pg_current_xact_id())`;
  await ledger.db
    .sql`select usage.claim_log('usage', gen_random_uuid(), 'reader', '[{"partition": 0, "log_start": 0}]')`;
  const refused = { partition: 0, message_offset: 0, event_number: 0, code: "x", detail: "x", content: "" };
  await ledger.db
    .sql`select usage.refuse_from_log(gen_random_uuid(), ${JSON.stringify([{ ...refused, content_bytes: 0 }])}::text::jsonb)`;
  await ledger.owner.sql`
    with asked as (
      insert into usage.meter_backfill (id, meter, since, requested_by)
      select 'b', min(number), '2026-01-01Z', 'alice' from catalog.meter returning seq
    ), page as (
      insert into usage.meter_backfill_page select seq, 1, 1, now(), 1, 1, 0, 1 from asked
    ), refused as (
      insert into usage.meter_backfill_refusal select seq, 1, now(), 'x', 'x' from asked
    )
    insert into usage.meter_backfill_end select seq, 'done' from asked`;
  await ledger.owner.sql`
    with archived as (
      insert into usage.archived_month (month, events, manifest, manifest_hash, files, archived_by)
      values ('2001-01-01', 0, 'file:x', repeat('0', 64), '[]', 'alice') returning month
    )
    insert into usage.archived_contribution select month, 1, 1, 1 from archived`;
  await ledger.db.sql`
    insert into billing.customer_invoicing select id, 1, created_at, 'separate', 'alice' from billing.customer limit 1`;
  await ledger.owner.sql`
    insert into billing.rated_adjustment
    select subscription_id, period_start, revision, plan_key, plan_version, 'launch', 'tokens', 'discount', price_key, product,
      'unbilled', terms_start, terms_end, 0, 0
    from billing.rated_usage limit 1`;
  await ledger.owner.sql`insert into billing.price_agreement values (repeat('0', 64), '[]')`;
  await ledger.owner
    .sql`insert into catalog.cost_table values ('models', '2026-01-01Z', 'Models', 'usd', '[]', '[]')`;
  await ledger.owner.sql`insert into catalog.feature values ('reports', 1, '{}')`;
  await ledger.owner.sql`
    with agreed as (
      insert into billing.scheduled_change (subscription_id, change_id, kind, effective_at, request, cause, requested_at)
      select id, 'later', 'pause', started_at, '{}', 'requested', started_at from billing.subscription limit 1
      returning subscription_id, change_id
    )
    insert into billing.scheduled_change_resolution select subscription_id, change_id, 'withdrawn', now() from agreed`;
  await correctUsage(ledger);
  await giveAgainAndAgain(ledger);
  await giveFeatures(ledger);
  await reserveForEveryTable(ledger.owner);
  await promoteForEveryTable(ledger.owner.sql);
  await giveTax(ledger);
  await creditAndVoid(ledger);
  await moneyOut(ledger);
  await declineAndDispute(ledger);
  await ledger.owner.sql.begin(async (sql) => {
    await sql`select set_config('usage.keeps_windows', 'on', true), set_config('usage.keeps_watermarks', 'on', true)`;
    await sql`insert into usage.window_value values (1, 1, 'day', '2026-01-01Z', 1, '"a"')`;
    await sql`
      insert into usage.window_level
      values (1, 1, 'day', '2026-01-01Z', 1, row('2026-01-01Z', 1, 1), row('2026-01-01Z', 1, 1), 0)`;
    await sql`insert into usage.arrival_lag values ('edge', 'request', '2026-01-01', 1, 1)`;
  });
  await tellAndDeliver(ledger);
  await openAnomaly(ledger);
  await ledger.db.sql`insert into stripe.webhook_inbox (event_id, type, body) values ('evt_1', 'x', '{}')`;
  await ledger.db.sql`select stripe.take_turn('{account}', '{20}', interval '1 second')`;
  // Transactions of other tests on the server hold back what can be sealed.
  while ((await ledger.db.sql`select from ledger.seal_closed_range(10)`).length === 0) await delay(10);
  return story;
}

/** A credit note that somebody else agreed to, and a word on why an invoice was voided. */
async function creditAndVoid({ owner: { sql } }: LedgerFixture): Promise<void> {
  await sql`insert into billing.seller values (1, '{}', 'alice', now())`;
  await sql`
    insert into billing.credit_note_request
    select 'note', id, customer_id, currency, 1, 'other', 'x', 'alice', now(), now(), 0, 0
    from billing.invoice where status = 'paid' and total_minor > 0 order by id limit 1`;
  await sql`
    insert into billing.credit_note_line
    select 'note', invoice_id, line, 1 from billing.credit_note_request join billing.invoice_line using (invoice_id)
    where amount_minor > 0 limit 1`;
  await sql`insert into billing.credit_note_decision values ('note', 'approved', 'bob', null, now())`;
  await sql`insert into billing.credit_note values ('note', 'NOTE-0001', 0, 1, 1, 'bob', now())`;
  await sql`
    insert into billing.invoice_void_request
    select invoice_id, 'void', 'other', 'x', 'alice', now() from billing.credit_note_request`;
  await sql`
    insert into billing.invoice_void
    select invoice_id, 'other', 'x', 'alice', now() from billing.credit_note_request`;
}

/** An invoice in dunning by a policy of its own, that an operator tried once more and its customer disputes. */
async function declineAndDispute({ owner: { sql } }: LedgerFixture): Promise<void> {
  await sql`insert into catalog.dunning_policy values ('gentle', 1, '{}')`;
  await sql`
    insert into billing.dunning_policy_choice (customer_id, request_id, policy_key, chosen_by, chosen_at)
    values ('acme', 'choice', 'gentle', 'alice', now())`;
  await sql`
    insert into billing.card_attempt (invoice_id, attempt, customer_id, card, amount_minor, attempted_at, outcome)
    select id, 100, customer_id, 'card', 5, now(), 'declined' from billing.invoice limit 1`;
  await sql`
    insert into billing.dunning_command (invoice_id, request_id, command, reason, commanded_by, commanded_at)
    select invoice_id, 'again', 'retry', 'x', 'alice', now() from billing.dunning limit 1`;
  await sql`
    insert into billing.dunning_notice (invoice_id, fact, moment, notice, said_at)
    select invoice_id, 'attempt/100', 'attempt_failed', 'payment_failed', now() from billing.dunning limit 1`;
}

/** More of a feature, taken back, and a window that its first use opened. */
async function giveFeatures({ owner: { sql } }: LedgerFixture): Promise<void> {
  await sql`
    insert into billing.feature_grant (id, customer_id, feature, kind, entitlement, effective_at, reason_code, granted_by, granted_at)
    values ('fg', 'acme', 'reports', 'grant', '{"feature": "reports"}', now(), 'goodwill', 'alice', now())`;
  await sql`insert into billing.feature_grant_end values ('fg', 'bob', now(), 'x')`;
  await sql`insert into billing.opened_window values ('acme', 'tokens', '{}', 1, now())`;
  await sql`
    insert into billing.edge_cut_off (id, customer_id, began_at, ended_at, reported_by, reported_at)
    values ('cut', 'acme', now(), now(), 'alice', now())`;
  await sql`insert into billing.edge_cut_off_feature values ('cut', 'reports', 'allowed', 1, 1, 0)`;
}

/** Tax from outside for an invoice, and a period that somebody wanted closed before its time. */
async function giveTax({ owner: { sql } }: LedgerFixture): Promise<void> {
  await sql`
    insert into billing.tax_choice (customer_id, request_id, handling, basis, applies_at, chosen_by, chosen_at)
    values ('acme', 'choice', 'external', 'before_credits', now(), 'alice', now())`;
  await sql`
    insert into billing.tax_given (id, customer_id, quote, currency, lines, tax_minor, given_by, given_at)
    values ('tax', 'acme', repeat('0', 24), 'usd', '[]', 0, 'alice', now())`;
  await sql`
    insert into billing.void_tax_wanted (invoice_id, quote, basis, lines, wanted_at)
    select id, repeat('0', 24), 'before_credits', '[{}]', now() from billing.invoice limit 1`;
  await sql`insert into billing.invoice_tax select id, 'tax', 'before_credits' from billing.invoice limit 1`;
  await sql`
    insert into billing.finalise_request (subscription_id, period_start, request_id, requested_by, requested_at)
    select id, started_at, 'now', 'alice', now() from billing.subscription limit 1`;
}

/** A refund of a cent, a dispute about the same payment, and what Stripe says of its balance. */
async function moneyOut({ owner: { sql } }: LedgerFixture): Promise<void> {
  const payment =
    "select payment.* from billing.payment as payment order by stripe_payment_intent_id limit 1";
  await sql.unsafe(`
    insert into billing.credit_note_request (id, invoice_id, customer_id, currency, total_minor, reason_code, requested_by, requested_at,
      approval_limit_minor, destination)
    select 'back', invoice.id, invoice.customer_id, invoice.currency, 1, 'goodwill', 'carol', now(), 1000, 'refund'
    from (${payment}) as payment join billing.invoice as invoice on invoice.id = payment.invoice_id;
    insert into billing.credit_note_line
    select 'back', line.invoice_id, line.line, 1
    from billing.credit_note_request as request join billing.invoice_line as line on line.invoice_id = request.invoice_id
    where request.id = 'back' and line.amount_minor > 1 order by line.line limit 1;
    insert into billing.credit_note (id, number, lowers_due_minor, to_balance_minor, to_refund_minor, issued_by, issued_at)
    values ('back', 'NOTE-0002', 0, 0, 1, 'carol', now());
    insert into billing.refund (id, credit_note_id, invoice_id, customer_id, stripe_payment_intent_id, currency, amount_minor,
      requested_at, changed_at)
    select 'refund', 'back', payment.invoice_id, request.customer_id, payment.stripe_payment_intent_id, request.currency, 1, now(), now()
    from (${payment}) as payment join billing.credit_note_request as request on request.id = 'back';
    insert into billing.invoice_dispute (stripe_dispute_id, invoice_id, customer_id, stripe_payment_intent_id, currency, amount_minor,
      reason, opened_at, status, is_open, withdrawn_minor, changed_at)
    select 'du_1', invoice_id, customer_id, stripe_payment_intent_id, currency, 1, 'fraudulent', now(), 'under_review', true, 0, now()
    from billing.refund;
    insert into stripe.balance_transaction (id, type, reporting_category, currency, amount, fee, net, created_at, available_on)
    values ('txn_1', 'refund', 'refund', 'usd', -1, 0, -1, now(), now());
    insert into stripe.copy_change (credit_note_id, invoice_id, due_before_minor, due_after_minor, given_back_minor)
    select id, invoice_id, 0, 0, 1 from billing.credit_note join billing.credit_note_request using (id) limit 1;
    insert into stripe.import_position (list) values ('balance_transactions');
    insert into stripe.payout (id, currency, amount, is_automatic, created_at, arrives_at, status, changed_at)
    values ('po_1', 'usd', 1, true, now(), now(), 'pending', now());
    insert into stripe.meter_push (meter, customer_id, window_start, revision, event_name, kind, value, identifier)
    select min(number), 'acme', '2026-02-01Z', 1, 'tokens', 'usage', 1, 'id' from catalog.meter;
    insert into stripe.meter_error values ('evt_1', 'no_meter', null, 1, '{id}', now(), now())`);
}

/** A backfill that is taken back, and a correction that somebody else agreed to. */
async function correctUsage({ db: { sql }, owner }: LedgerFixture): Promise<void> {
  await sql`select usage.open_backfill('b', 'b', 'b', 'alice', now())`;
  await sql`select usage.request_correction('revert', 'void', 'b', 'duplicate', null, 'alice', now(), 0, null, null, null)`;
  await owner.sql`insert into usage.backfill_event values (1, now(), 'b', 1)`;
  await sql`
    select usage.request_correction('large', 'void', null, 'duplicate', null, 'alice', now(), 0, array[seq], array[time], '{null}')
    from usage.event order by seq limit 1`;
  await sql`select usage.decide_correction('large', 'approved', 'bob', null, now())`;
  await sql`select usage.book_correction('large', now(), '{}', '{}', '{}', '{}', '{}')`;
}

/** Credit without an end that somebody else agreed to and that was ended; a grant that nothing was left of. */
async function giveAgainAndAgain({ db: { sql } }: LedgerFixture): Promise<void> {
  await sql`
    insert into billing.recurring_grant (id, customer_id, currency, amount_minor, priority, anchor_at, interval_unit,
      interval_count, time_zone, effective_at, first, reason_code, requested_by, requested_at)
    values ('again', 'acme', 'usd', 1, 50, '2026-01-01Z', 'month', 1, 'UTC', '2026-01-01Z', 'at_once', 'contract', 'alice', '2026-01-01Z')`;
  await sql`
    insert into billing.recurring_grant_decision (recurring_grant_id, outcome, decided_by, decided_at)
    values ('again', 'approved', 'bob', '2026-01-01Z')`;
  await sql`
    insert into billing.recurring_grant_end (recurring_grant_id, ended_by, ended_at)
    values ('again', 'alice', '2026-01-02Z')`;
  await sql`
    insert into billing.credit_grant_end (grant_id, cause, held, ended_at, settled_at)
    values ('promo', 'expired', 0, '2026-02-01Z', '2026-02-01Z')`;
}

/** A case, and what was said of it. */
async function openAnomaly({ db: { sql } }: LedgerFixture): Promise<void> {
  await sql`
    insert into billing.anomaly (id, kind, key, subject_type, subject_id, evidence, found_at, changed_at)
    values ('case', 'zero_invoice', 'key', 'invoice', 'in', '{}', now(), now())`;
  await sql`
    insert into billing.anomaly_note (id, anomaly_id, note, noted_by, noted_at) values ('said', 'case', 'seen', 'alice', now())`;
}

/** A notice that was delivered to an endpoint, of a customer who wants no mail of another kind. */
async function tellAndDeliver({ db: { sql } }: LedgerFixture): Promise<void> {
  await sql`
    insert into notice.notice (id, key, kind, customer_id, subject, occurred_at, body, composed_at)
    values ('notice', 'key', 'invoice.issued', 'acme', '{}', now(), '{}', now())`;
  await sql`
    insert into notice.endpoint (id, url, state, created_at) values ('endpoint', 'https://example.com', 'enabled', now())`;
  await sql`insert into notice.endpoint_secret values ('endpoint', 1, ${Buffer.alloc(40)}, now(), null)`;
  await sql`insert into notice.mail_preference values ('acme', '{credits.low}', now())`;
  await sql`
    insert into notice.delivery (id, notice_id, endpoint_id, receiver, state, attempts, next_attempt_at, created_at, finished_at)
    values ('delivery', 'notice', 'endpoint', 'endpoint', 'delivered', 1, now(), now(), now())`;
  await sql`insert into notice.delivery_attempt values ('delivery', 1, 'delivered', now(), 5, 200, 'ok', null)`;
}

/** A column of a table, or of a partition under its own name. */
export interface CatalogColumn {
  readonly table: string;
  /** The table itself, or one of its partitions. */
  readonly relation: string;
  readonly column: string;
  readonly type: string;
  /** Takes no value but its default. */
  readonly isGenerated: boolean;
}

/** Every column of every table of the database, from its catalog. */
export const everyColumn = ({ sql }: Pick<Database, "sql">): Promise<CatalogColumn[]> => sql<CatalogColumn[]>`
  select coalesce(roots.name, concat_ws('.', nspname, relname)) as table, concat_ws('.', nspname, relname) as relation, 
    quote_ident(attname) as column, format_type(atttypid, null) as type, attgenerated <> '' or attidentity = 'a' as "isGenerated"
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  left join lateral (
    select concat_ws('.', root_schema.nspname, root.relname) as name
    from pg_class as root join pg_namespace as root_schema on root_schema.oid = root.relnamespace
    where root.oid = pg_partition_root(pg_class.oid)
  ) as roots on true
  join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
  where relkind in ('r', 'p') and nspname !~ '^(pg_|information_schema)'
  order by relation, attnum`;

/** Every view of the database. */
export async function everyView({ sql }: Pick<Database, "sql">): Promise<string[]> {
  const found = await sql<{ name: string }[]>`
    select pg_class.oid::regclass::text as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('v', 'm') and nspname !~ '^(pg_|information_schema)' order by name`;
  return found.map(({ name }) => name);
}
