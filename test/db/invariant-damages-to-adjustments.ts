import { type Damage, entry } from "./invariant-damages.ts";

/** An entry of an adjustment that nobody agreed to: with the guard of such entries away for a moment. */
const unguarded = (made: string) => `
  alter table ledger.journal_entry disable trigger adjustment_is_admitted;
  ${made}
  alter table ledger.journal_entry enable trigger adjustment_is_admitted`;

const balance = "2200/usd/customer=elm";

/** The same for what people correct by hand. */
export const damagesToAdjustments: readonly Damage[] = [
  {
    what: "an adjustment that was never booked",
    broken: "V4",
    rule: "executed adjustment is booked",
    sql: `insert into billing.adjustment (id, kind, customer_id, currency, change, reason_code, requested_by, requested_at,
        recorded_at, approval_limit_minor, unapproved_before)
      values ('adj-lost', 'credit_balance', 'acme', 'usd', 100000000, 'goodwill', 'api-key/eve', '2026-02-20Z', now(), 100, 0)`,
  },
  {
    what: "an adjustment of more than was booked",
    broken: "V4",
    rule: "executed adjustment is booked",
    sql: "update billing.adjustment set change = change + 100000000 where id = 'adj-agreed'",
  },
  {
    what: "a void that took more than was asked for",
    broken: "V4",
    rule: "executed adjustment is booked",
    sql: "update billing.adjustment set change = -1 where id = 'adj-void-bought'",
  },
  {
    what: "an entry of an adjustment that was rejected",
    broken: "V4",
    rule: "has the fact",
    sql: unguarded(entry("goodwill_granted", ["adjustment", "adj-rejected"], ["5200/usd", balance])),
    triggersRun: true,
  },
  {
    what: "an entry of an adjustment that waits",
    broken: "V4",
    rule: "has the fact",
    sql: unguarded(entry("goodwill_granted", ["adjustment", "adj-undecided"], ["5200/usd", balance])),
    triggersRun: true,
  },
  {
    what: "an entry of an adjustment of another kind",
    broken: "V4",
    rule: "has the fact",
    sql: unguarded(entry("goodwill_withdrawn", ["adjustment", "adj-agreed"], [balance, "5200/usd"])),
    triggersRun: true,
  },
  {
    what: "a grant that is spent earlier than was asked for",
    broken: "V4",
    rule: "what an adjustment asked for",
    sql: "update billing.credit_grant set priority = priority - 1 where kind = 'goodwill'",
  },
  {
    what: "credit that came back to a voided grant",
    broken: "V4",
    rule: "voided or ended one holds nothing",
    sql: entry(
      "proration_credited",
      ["subscription_change", "fewer seats"],
      ["5900/usd", "2010/usd/customer=elm/grant=gift"],
    ),
    triggersRun: true,
  },
  {
    what: "an approval by who asked",
    broken: "V10",
    rule: "has not agreed to it",
    sql: `update billing.adjustment_decision set decided_by = 'api-key/lead' where outcome = 'rejected';
      update access.api_key set scopes = '{write, approve}' where id = 'lead'`,
  },
  {
    what: "an approval by a key that may not",
    broken: "V10",
    rule: "has not agreed to it",
    sql: "update access.api_key set scopes = '{write}' where id = 'finance'",
  },
  {
    what: "an entry that names somebody else than who agreed",
    broken: "V10",
    rule: "has not agreed to it",
    sql: "update ledger.journal_entry set actor = 'api-key/lead' where cause_id = 'adj-agreed'",
  },
  {
    what: "an amount given by parts that were not added up",
    broken: "V10",
    rule: "was added up",
    sql: "update billing.adjustment set unapproved_before = 0 where id = 'adj-debit'",
  },
  {
    what: "an adjustment that nobody decides",
    broken: "V12",
    rule: "waits for ever",
    sql: `update billing.adjustment set requested_by = 'api-key/eve', unapproved_before = 0, recorded_at = now() - interval '31 days'
      where id = 'adj-undecided'`,
  },
];
