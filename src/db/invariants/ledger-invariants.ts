import type { InvariantQuery } from "./invariant-query.ts";

/** The postings of each account and side, in the whole ledger: what everything else must agree with. */
const sides = `
  select entry_id, debit_account as account_id, amount as debit, 0 as credit from ledger.posting
  union all select entry_id, credit_account, 0, amount from ledger.posting`;

/** What each entry must have claimed, worked out here once more: half a SHA-256 each. */
const claims = `
  select entry.id as entry_id, encode(substr(sha256(convert_to(claimed, 'UTF8')), 1, 16), 'hex')::uuid as hash
  from ledger.journal_entry as entry
  cross join lateral (values
    ('source/' || source_key),
    ('cause/' || kind || '/' || octet_length(cause_type) || '/' || cause_type || '/' || cause_id),
    ('reverses/' || reverses)
  ) as claim (claimed)
  where claimed is not null`;

/** The ledger's rules, recomputed from the postings. */
export const ledgerInvariantQueries: readonly InvariantQuery[] = [
  {
    name: "V1: in each currency, debits equal credits",
    sql: `
      select currency, sum(debit) as debit, sum(credit) as credit
      from ledger.balance group by currency having sum(debit) <> sum(credit)`,
  },
  {
    name: "V1: every posting stays in the currency of its entry and of both its accounts",
    sql: `
      select posting.entry_id, posting.line, posting.currency
      from ledger.posting as posting
      left join ledger.journal_entry as entry on entry.id = posting.entry_id
      left join ledger.account as debited on debited.id = posting.debit_account
      left join ledger.account as credited on credited.id = posting.credit_account
      where (entry.currency, debited.currency, credited.currency)
        is distinct from (posting.currency, posting.currency, posting.currency)`,
  },
  {
    name: "V1: every entry has postings",
    sql: `
      select id, source_key from ledger.journal_entry as entry
      where not exists (select from ledger.posting where entry_id = entry.id)`,
  },
  {
    name: "V2: every balance is the sum of its postings",
    sql: `
      select balance.key, balance.debit, posted.debit as expected_debit, balance.credit, posted.credit as expected_credit
      from ledger.balance as balance
      full join (
        select account_id, sum(debit) as debit, sum(credit) as credit, count(*) as postings from (${sides}) as side
        group by account_id
      ) as posted using (account_id)
      where (coalesce(balance.debit, 0), coalesce(balance.credit, 0), coalesce(balance.version, 0))
        is distinct from (coalesce(posted.debit, 0), coalesce(posted.credit, 0), coalesce(posted.postings, 0))`,
  },
  {
    name: "V2: what is held is the sum of the open holds, and those without a resolution are open",
    sql: `
      with expected as (
        select account_id, sum(amount) as held from ledger.hold_line
        where hold_id not in (select hold_id from ledger.hold_resolution) group by account_id
      )
      select account.key as what, balance.held::text as found, expected.held::text as expected
      from ledger.account_balance as balance full join expected using (account_id)
      left join ledger.account as account on account.id = account_id
      where coalesce(balance.held, 0) <> coalesce(expected.held, 0)
      union all
      select hold.source_key, open_hold.expires_at::text, hold.expires_at::text
      from ledger.hold full join ledger.open_hold on open_hold.hold_id = hold.id
      left join ledger.hold_resolution as resolution on resolution.hold_id = hold.id
      where case when hold.id is null or resolution.hold_id is not null then open_hold.hold_id is not null
        else open_hold.expires_at is distinct from hold.expires_at end`,
  },
  {
    name: "V2: the balances at the end of closed months are the sums of what is effective up to then",
    sql: `
      select key, month, carried.debit, expected.debit as expected_debit, carried.credit, expected.credit as expected_credit
      from ledger.period_balance as carried
      full join (
        select account_id, reached.month, sum(sum(debit)) over in_order as debit, sum(sum(credit)) over in_order as credit
        from (
          select account_id, date_trunc('month', effective_at at time zone 'UTC')::date as month,
            sum(debit) as debit, sum(credit) as credit
          from ledger.journal_entry as entry join (${sides}) as side on side.entry_id = entry.id
          group by 1, 2
        ) as effective
        cross join lateral (
          select min(month) as month from ledger.carried_month where carried_month.month >= effective.month
        ) as reached
        where reached.month is not null
        group by account_id, reached.month
        window in_order as (partition by account_id order by reached.month)
      ) as expected using (account_id, month)
      left join ledger.account as account on account.id = account_id
      where (carried.debit, carried.credit) is distinct from (expected.debit, expected.credit)`,
  },
  {
    name: "V2: a statement has no gaps, each line follows from the one before, and the last is the balance",
    sql: `
      select key, version, delta, balance_after from (
        select balance.key, history.version, history.delta, history.balance_after, balance.version as last_version,
          balance.balance,
          lag(history.version, 1, 0::bigint) over in_order as version_before,
          lag(history.balance_after, 1, 0::numeric) over in_order as balance_before,
          lead(history.version) over in_order as next_version
        from ledger.account as account
        join ledger.balance as balance on balance.account_id = account.id
        left join ledger.account_history as history on history.account_id = account.id
        where account.keep_history
        window in_order as (partition by account.id order by history.version)
      ) as line
      where (version is null and last_version > 0)
        or version <> version_before + 1
        or balance_after <> balance_before + delta
        or (next_version is null and (version, balance_after) <> (last_version, balance))`,
  },
  {
    name: "V3: no account is below its floor, with what is held of it set aside",
    sql: `
      select account.key, account.floor, account.normal * sum(side.debit - side.credit) as balance, balance.held
      from ledger.account as account
      join ledger.account_balance as balance on balance.account_id = account.id
      join (${sides}) as side on side.account_id = account.id
      where account.floor is not null
      group by account.id, balance.held
      having account.normal * sum(side.debit - side.credit) - balance.held < account.floor`,
  },
  {
    name: "V3: every account has the floor, the side and the handling that the chart gives it",
    sql: `
      select account.key, account.floor, balance.floor as enforced_floor, chart.bounded
      from ledger.account as account
      left join ledger.chart_account as chart on chart.code = account.code
      left join ledger.account_balance as balance on balance.account_id = account.id
      where (account.class, account.normal, account.floor, account.hot, account.keep_history)
        is distinct from (chart.class, chart.normal, case when chart.bounded then 0 end, chart.hot, chart.keep_history)
        or (balance.normal, balance.currency, balance.floor, balance.hot, balance.keep_history)
        is distinct from (account.normal, account.currency, account.floor, account.hot, account.keep_history)`,
  },
  {
    name: "V4: every entry has claimed its key, its cause and what it reverses for ever, and nothing else is claimed",
    sql: `
      select claim.entry_id, hash as claim, key.entry_id as claimed_by
      from (${claims}) as claim full join ledger.entry_key as key using (hash)
      where claim.entry_id is distinct from key.entry_id`,
  },
];
