import type { InvariantQuery } from "./invariant-query.ts";

/** The role that all code of the application acts as; the login it uses is a member. */
const applicationRole = "reckoner_app";

const schemas = "('ledger', 'usage', 'catalog', 'billing', 'stripe', 'access')";

const quoted = (names: readonly string[]) => names.map((name) => `('${name}')`).join(", ");

/** Facts: written once, never changed. */
const appendOnlyTables = [
  "ledger.chart_account",
  "ledger.account",
  "ledger.journal_entry",
  "ledger.posting",
  "ledger.entry_key",
  "ledger.account_history",
  "ledger.accounting_period",
  "ledger.period_balance",
  "ledger.carried_month",
  "ledger.entry_range",
  "ledger.hold",
  "ledger.hold_line",
  "ledger.hold_resolution",
  "ledger.seal",
  "usage.event_key",
  "usage.event",
  "usage.event_conflict",
  "usage.quarantined_event",
  "catalog.meter",
  "catalog.plan",
  "billing.subscription_terms",
  "billing.invoice_line",
  "billing.rating_run",
  "billing.rated_usage",
  "billing.credit_grant",
  "billing.credit_draw",
  "billing.payment_attempt",
  "billing.payment",
  "billing.adjustment",
  "billing.adjustment_decision",
];

/** Records with a state: their columns that the application may change. All others stay as they were written. */
const changeableColumns: Readonly<Record<string, readonly string[]>> = {
  "billing.test_clock": ["current_at", "target_at", "is_settled"],
  "billing.customer": ["name", "email", "stripe_customer_id", "payment_method", "invoices_issued"],
  "billing.subscription": ["status", "billed_through", "next_close_at", "cancel_at", "canceled_at"],
  "billing.subscription_change": ["invoice_id"],
  "billing.invoice": [
    "status",
    "amount_paid_minor",
    "paid_at",
    "stripe_invoice_id",
    "hosted_invoice_url",
    "collected_by",
  ],
  "billing.dunning": ["state", "attempts", "next_attempt_at", "ended_at"],
  "stripe.operation": ["state", "response", "error", "finished_at"],
  "stripe.webhook_inbox": ["state", "attempts", "next_attempt_at", "last_error", "finished_at"],
};

/** Follow from facts by triggers. */
const derivedTables = [
  "ledger.account_balance",
  "ledger.balance_delta",
  "ledger.open_hold",
  "usage.hourly_window",
];

/** Rules of single tables, as table.trigger. */
const ruleTriggers = [
  "ledger.account.open_balances",
  "ledger.account_balance.guard_derived",
  "ledger.balance_delta.guard_derived",
  "ledger.account_history.guard_derived",
  "ledger.entry_key.guard_derived",
  "ledger.period_balance.guard_derived",
  "ledger.carried_month.guard_derived",
  "ledger.open_hold.guard_derived",
  "ledger.hold.open_holds",
  "ledger.hold_line.set_aside",
  "ledger.hold_resolution.give_back",
  "ledger.journal_entry.check_entries",
  "ledger.posting.apply_postings",
  "usage.event.count_events",
  "billing.subscription_change.invoice_is_named_once",
  "billing.invoice.final_state_is_final",
  "billing.adjustment.admit_adjustment",
  "billing.adjustment_decision.admit_decision",
  "ledger.journal_entry.adjustment_is_admitted",
  "access.api_key.revocation_is_final",
  "access.idempotency_key.answer_is_kept",
  "access.idempotency_key.answers_are_kept",
];

const triggers = [
  ...appendOnlyTables.flatMap((table) => [`${table}.append_only_rows`, `${table}.append_only_table`]),
  ...Object.keys(changeableColumns).flatMap((table) =>
    ["all_else_is_fixed", "rows_are_kept", "table_is_kept"].map((trigger) => `${table}.${trigger}`),
  ),
  ...ruleTriggers,
];

/** The application's role, and whoever asks: production code and this check are connected alike. */
const actors = `
  select oid, rolname, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication as is_powerful
  from pg_roles where rolname in ('${applicationRole}', current_user)`;

const privileges = (names: string) => `
  select actor.rolname, target.name, privilege.name as privilege
  from (${actors}) as actor
  cross join unnest(string_to_array('${names}', ', ')) as privilege (name)`;

/** What the catalog says of who may do what. */
export const privilegeInvariants: readonly InvariantQuery[] = [
  {
    name: "V10: the application may not change what was written, and writes facts of ledger and usage through functions only",
    sql: `
      ${privileges("UPDATE, DELETE, TRUNCATE")}
      cross join (values ${quoted([...appendOnlyTables, ...derivedTables])}) as target (name)
      where has_table_privilege(actor.oid, target.name, privilege.name)
      union all
      select actor.rolname, target.name, 'UPDATE of a column'
      from (${actors}) as actor cross join (values ${quoted([...appendOnlyTables, ...derivedTables])}) as target (name)
      where has_any_column_privilege(actor.oid, target.name, 'UPDATE')
      union all
      ${privileges("INSERT")}
      join (values ${quoted([...appendOnlyTables, ...derivedTables])}) as target (name) on target.name ~ '^(ledger|usage)[.]'
      where has_table_privilege(actor.oid, target.name, privilege.name)`,
  },
  {
    name: "V10: of a record with a state the application may change that state alone",
    sql: `
      with record (name, changeable) as (values ${Object.entries(changeableColumns)
        .map(([table, columns]) => `('${table}', '{${columns.join(", ")}}'::text[])`)
        .join(", ")})
      select actor.rolname, record.name, attname as changes
      from (${actors}) as actor cross join record
      join pg_attribute on attrelid = record.name::regclass and attnum > 0 and not attisdropped
      where attname <> all (changeable) and has_column_privilege(actor.oid, attrelid, attnum, 'UPDATE')
      union all
      select actor.rolname, record.name, lower(privilege.name)
      from (${actors}) as actor cross join record cross join (values ('DELETE'), ('TRUNCATE')) as privilege (name)
      where has_table_privilege(actor.oid, record.name, privilege.name)
      union all
      select null, record.name, 'whoever owns it'
      from record join pg_trigger on tgrelid = record.name::regclass and tgname = 'all_else_is_fixed'
      where string_to_array(encode(tgargs, 'escape'), '\\000') <> changeable || ''::text`,
  },
  {
    name: "V10: the application owns nothing, makes nothing, and can do nothing beyond what it was granted",
    sql: `
      select rolname, 'has more rights than a plain role' as what from (${actors}) as actor where is_powerful
      union all
      select rolname, 'owns ' || pg_describe_object(classid, objid, objsubid)
      from pg_shdepend join (${actors}) as actor on actor.oid = refobjid and refclassid = 'pg_authid'::regclass
      where deptype = 'o' and dbid = (select oid from pg_database where datname = current_database())
      union all
      select rolname, 'owns the database' from pg_database join (${actors}) as actor on actor.oid = datdba
      where datname = current_database()
      union all
      select rolname, 'may create in schema ' || nspname from pg_namespace cross join (${actors}) as actor
      where (nspname in ${schemas} or nspname = 'public') and has_schema_privilege(actor.oid, pg_namespace.oid, 'CREATE')
      union all
      select actor.rolname, 'acts as ' || role.rolname from (${actors}) as actor
      join pg_auth_members as membership on membership.member = actor.oid
      join pg_roles as role on role.oid = membership.roleid and role.rolname <> '${applicationRole}'
      union all
      select rolname, 'may switch triggers off for itself' from (${actors}) as actor
      where has_parameter_privilege(actor.oid, 'session_replication_role', 'SET')`,
  },
  {
    name: "V10: every trigger that guards a rule is there and fires",
    sql: `
      select rule.name, 'is missing or switched off' as what from (values ${quoted(triggers)}) as rule (name)
      where not exists (
        select from pg_trigger
        join pg_class on pg_class.oid = tgrelid join pg_namespace on pg_namespace.oid = relnamespace
        where concat_ws('.', nspname, relname, tgname) = rule.name and tgenabled in ('O', 'A'))
      union all
      select concat_ws('.', part.relname, parents.tgname), 'is missing on the partition'
      from pg_inherits
      join pg_class as part on part.oid = inhrelid and part.relkind = 'r'
      join pg_trigger as parents on parents.tgrelid = inhparent and not parents.tgisinternal
      where not exists (select from pg_trigger as own where own.tgrelid = inhrelid and own.tgname = parents.tgname and own.tgenabled in ('O', 'A'))
      union all
      select concat_ws('.', nspname, relname, tgname), 'is switched off' from pg_trigger
      join pg_class on pg_class.oid = tgrelid join pg_namespace on pg_namespace.oid = relnamespace
      where nspname in ${schemas} and tgenabled in ('D', 'R')`,
  },
  {
    name: "V10: functions that act with their owner's rights are only those meant to be, and cannot be led to other tables",
    sql: `
      select pg_proc.oid::regprocedure::text as function, actor.rolname, proconfig
      from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
      cross join (${actors}) as actor
      where nspname in ${schemas} and prosecdef and (
        not exists (select from unnest(proconfig) as setting where setting like 'search_path=%')
        or has_function_privilege(actor.oid, pg_proc.oid, 'EXECUTE') and concat_ws('.', nspname, proname) not in (
          'ledger.post_entries', 'ledger.place_holds', 'ledger.settle_holds', 'ledger.release_holds', 'ledger.expire_holds',
          'ledger.fold_hot_balances', 'ledger.close_period', 'ledger.carry_closed_month', 'ledger.prepare_partitions',
          'ledger.seal_closed_range',
          'usage.ingest', 'usage.release'))`,
  },
];
