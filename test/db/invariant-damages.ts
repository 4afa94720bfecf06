/** What somebody with every right could do to the database of the billed story, and the one invariant that says so. */
export interface Damage {
  readonly what: string;
  readonly broken: string;
  /** A piece of the name of the rule that is broken. */
  readonly rule: string;
  readonly sql: string;
  /** The triggers run, so that everything derived follows the damage. */
  readonly triggersRun?: true;
}

/** An entry that is in order in itself: balances follow it. It is dated February unless it says otherwise. */
export function entry(
  kind: string,
  cause: readonly [type: string, id: string],
  posting: readonly [debit: string, credit: string],
  { at = "2026-02-20T00:00:00Z", metadata = {} }: { at?: string; metadata?: Record<string, string> } = {},
): string {
  const draft = {
    source_key: `by hand/${kind}`,
    kind,
    occurred_at: at,
    effective_at: at,
    actor: "eve",
    cause_type: cause[0],
    cause_id: cause[1],
    customer_id: "acme",
    currency: "usd",
    metadata,
    postings: [{ debit: posting[0], credit: posting[1], amount: "100000000" }],
  };
  return `select ledger.post_entries('[${JSON.stringify(draft)}]');`;
}

/** A fact that may have such an entry, so that the posting is all there is to object to. */
const change = ["subscription_change", "fewer seats"] as const;
const posting = (debit: string, credit: string) => entry("proration_credited", change, [debit, credit]);

const cycleOf = (id: string) =>
  `subscription_id = 'sub-${id}' and period_start = '2026-01-01T00:00:00Z' and revision = 0`;
const paidInvoice = "(select min(id) from billing.invoice where status = 'paid' and total_minor > 0)";
const usageLine =
  "(invoice_id, line) = (select invoice_id, line from billing.invoice_line where kind = 'usage' and amount_minor > 0 limit 1)";

const ledgerDamages: readonly Damage[] = [
  {
    what: "a posting in another currency",
    broken: "V1",
    rule: "stays in the currency",
    sql: "update ledger.posting set currency = 'eur' where entry_id = 1 and line = 1",
  },
  {
    what: "an entry without postings",
    broken: "V1",
    rule: "has postings",
    sql: `insert into ledger.journal_entry (kind, source_key, request_hash, occurred_at, effective_at, actor, cause_type, cause_id, customer_id, currency)
      values ('credits_burned', 'empty', '', now(), now(), 'eve', 'billing_cycle', 'sub-dune/2026-01-01T00:00:00.000Z', 'dune', 'usd')`,
    triggersRun: true,
  },
  {
    what: "a key that an entry has claimed, forgotten",
    broken: "V4",
    rule: "has claimed its key",
    sql: "delete from ledger.entry_key where entry_id = 1",
  },
  {
    what: "a claim of an entry that is not there",
    broken: "V4",
    rule: "nothing else is claimed",
    sql: "insert into ledger.entry_key values (gen_random_uuid(), 987654)",
  },
  {
    what: "a balance that does not follow from postings",
    broken: "V2",
    rule: "sum of its postings",
    sql: `update ledger.account_balance set debit = debit + 1, credit = credit + 1
      where account_id = (select id from ledger.account where code = '1000')`,
  },
  {
    what: "a line of a statement",
    broken: "V2",
    rule: "a statement has no gaps",
    sql: "update ledger.account_history set balance_after = balance_after + 1 where version = 1",
  },
  {
    what: "a floor that is not enforced",
    broken: "V3",
    rule: "has the floor",
    sql: "update ledger.account_balance set floor = null where account_id in (select id from ledger.account where code = '2100')",
  },
  {
    what: "an account below its floor",
    broken: "V3",
    rule: "below its floor",
    sql: "update ledger.account set floor = 1000000000000 where code = '2100'",
  },
  {
    what: "an entry of no fact",
    broken: "V4",
    rule: "has the fact",
    sql: entry("goodwill_given", ["whim", "1"], ["5200/usd", "2200/usd/customer=acme"]),
    triggersRun: true,
  },
  {
    what: "a grant that nobody asked for",
    broken: "V4",
    rule: "what an adjustment asked for",
    sql: `insert into billing.credit_grant (id, customer_id, kind, currency, amount_minor, priority, effective_at, reason, created_at)
      values ('whim', 'acme', 'promotional', 'usd', 1, 50, '2026-01-01Z', 'none', '2026-01-01Z')`,
  },
  {
    what: "a grant of another amount than was bought",
    broken: "V4",
    rule: "has its entry",
    sql: "update billing.credit_grant set amount_minor = amount_minor + 1 where kind = 'paid'",
  },
  {
    what: "two entries with one key",
    broken: "V4",
    rule: "one source key",
    sql: "update ledger.journal_entry set source_key = 'the same' where kind = 'usage_rated'",
  },
  {
    what: "usage that was rated otherwise than it was booked",
    broken: "V4",
    rule: "what a closing or a correction rated",
    sql: `update billing.invoice_line set exact_minor = exact_minor + 1 where ${usageLine}`,
  },
  {
    what: "late usage that was rated otherwise than it was booked",
    broken: "V4",
    rule: "what a closing or a correction rated",
    sql: "update billing.invoice_line set exact_minor = exact_minor - 1 where kind = 'late_usage'",
  },
  {
    what: "late usage that handed back more than it booked",
    broken: "V4",
    rule: "what a closing or a correction rated",
    sql: `update billing.invoice_line set detail = jsonb_set(detail, '{creditedToBalanceMinor}', '"11"')
      where detail ? 'creditedToBalanceMinor'`,
  },
  {
    what: "a draw of another amount",
    broken: "V4",
    rule: "drew from a grant",
    sql: "update billing.credit_draw set amount = amount + 1",
  },
  {
    what: "an advance of another product than was recognised",
    broken: "V4",
    rule: "charged in advance",
    sql: `update billing.invoice_line set product = 'other'
      where earning = 'deferred' and kind = 'flat' and period_start = '2026-01-01Z'`,
  },
];

const clearingDamages: readonly Damage[] = [
  {
    what: "a payment that never became a balance transaction",
    broken: "V6",
    rule: "1010",
    sql: `insert into billing.payment values ('pi_stuck', ${paidInvoice}, 'ch_stuck', 1, '2026-02-20Z');
      update billing.invoice set amount_paid_minor = amount_paid_minor + 1 where id = ${paidInvoice};
      ${entry("payment_succeeded", ["payment", "pi_stuck"], ["1010/usd", "2200/usd/customer=acme"], { metadata: { payment_id: "pi_stuck" } })}`,
    triggersRun: true,
  },
  {
    what: "money in suspense",
    broken: "V6",
    rule: "9100",
    sql: posting("9100/usd", "5900/usd"),
    triggersRun: true,
  },
  {
    what: "credits of a paid purchase that stay unspendable",
    broken: "V6",
    rule: "2005",
    sql: posting("5900/usd", "2005/usd/customer=acme/purchase=inv_prepaid"),
    triggersRun: true,
  },
  {
    what: "rated usage that no invoice asks for",
    broken: "V6",
    rule: "1110",
    sql: posting("1110/usd/customer=acme", "5900/usd"),
    triggersRun: true,
  },
  {
    what: "a Stripe balance that moved without Stripe",
    broken: "V7",
    rule: "the Stripe balance, 1000",
    sql: posting("1000/usd", "5900/usd"),
    triggersRun: true,
  },
  {
    what: "a payment that reached the Stripe balance twice",
    broken: "V7",
    rule: "once",
    sql: `${entry(
      "balance_transaction_recorded",
      ["stripe_balance_transaction", "txn_again"],
      ["1000/usd", "1010/usd"],
      {
        at: "2026-03-01T11:59:00Z",
        metadata: { payment_id: "' || (select min(stripe_payment_intent_id) from billing.payment) || '" },
      },
    )
      .replace("('[", "(('[")
      .replace("]')", "]')::jsonb)")}`,
    triggersRun: true,
  },
];

const invoiceDamages: readonly Damage[] = [
  {
    what: "a line of another amount",
    broken: "V8",
    rule: "sum of its lines",
    sql: `update billing.invoice_line set amount_minor = amount_minor + 1 where ${usageLine}`,
  },
  {
    what: "an invoice of more than was booked",
    broken: "V8",
    rule: "added to its customer's receivable",
    sql: `update billing.invoice_line set amount_minor = amount_minor + 1 where ${usageLine};
      update billing.invoice set subtotal_minor = subtotal_minor + 1, total_minor = total_minor + 1
      where id = (select invoice_id from billing.invoice_line where ${usageLine})`,
  },
  {
    what: "a payment the invoice does not have",
    broken: "V8",
    rule: "the payments it says it has",
    sql: `update billing.invoice set amount_paid_minor = amount_paid_minor - 1 where id = ${paidInvoice}`,
  },
  {
    what: "a receivable that no open invoice explains",
    broken: "V8",
    rule: "1100",
    sql: posting("1100/usd/customer=acme", "5900/usd"),
    triggersRun: true,
  },
  {
    what: "a closed period that overlaps the next",
    broken: "V8",
    rule: "follow one another",
    sql: `update billing.rating_run set period_end = period_end + interval '1 day' where ${cycleOf("dune")}`,
  },
  {
    what: "a run that counted one event more",
    broken: "V8",
    rule: "counts the events of its period",
    sql: `update billing.rating_run set event_count = event_count + 1 where ${cycleOf("acme")}`,
  },
  {
    what: "an event of a subscription that was billed to its end",
    broken: "V8",
    rule: "on no invoice",
    sql: `select usage.ingest(null, true, '{00000000-0000-0000-0000-000000000001}', '{00000000-0000-0000-0000-000000000002}', '{late}',
      array[(extract(epoch from timestamptz '2026-01-12Z') * 1000)::bigint], array[customer.number], '{}', '{}', '{"{1}"}', '{}', '{1}',
      '{request}', '{story}', array[array[meter.number]::text], '{"{1}"}')
      from catalog.meter, billing.customer where meter.key = 'tokens' and customer.id = 'cedar';
      -- Nobody has looked for such usage for a while.
      update billing.late_usage_watch set looked_at = now() - interval '61 minutes'`,
    triggersRun: true,
  },
  {
    what: "a second subscription that bills the same usage",
    broken: "V8",
    rule: "two subscriptions",
    sql: `insert into billing.subscription (id, customer_id, status, started_at, interval_unit, interval_count, time_zone, currency,
        grace_seconds, billed_through, next_close_at)
      select 'sub-twin', customer_id, status, started_at, interval_unit, interval_count, time_zone, currency, grace_seconds,
        '2026-02-01Z', next_close_at from billing.subscription where id = 'sub-acme';
      insert into billing.subscription_terms (subscription_id, effective_at, change_id, items, paused)
      select 'sub-twin', effective_at, change_id, items, paused from billing.subscription_terms where subscription_id = 'sub-acme';
      insert into billing.rating_run
      select 'sub-twin', period_start, period_end, 0, 'closing', null, null, snapshot, 0, rated_at from billing.rating_run where ${cycleOf("acme")}`,
  },
  {
    what: "a window that counted more",
    broken: "V9",
    rule: "the windows are the sums",
    sql: "update usage.window set sum = sum + 1 where size = 'hour'",
  },
  {
    what: "a quantity that nobody used",
    broken: "V9",
    rule: "what its meter read",
    sql: "update billing.rated_usage set quantity = quantity + 1 where price_key = 'large'",
  },
  {
    what: "a peak that nobody reached",
    broken: "V9",
    rule: "what its meter read",
    sql: "update billing.rated_usage set quantity = quantity + 1 where price_key = 'peak'",
  },
];
export const damages = [...ledgerDamages, ...clearingDamages, ...invoiceDamages];
