import { comparison, contradiction, type LedgerCheck, ofAccount, sides } from "./recomputation.ts";

/** The postings of the accounts that keep a statement, as they change its balance. */
const statementSides = `
  select side.account_id, side.entry_id, side.line, account.normal * (side.debit - side.credit) as delta
  from (${sides}) as side join ledger.account as account on account.id = side.account_id
  where account.keep_history`;

/** Accounts whose lines are numbered otherwise than 1, 2, 3 … up to the number of their postings. */
const misnumbered = `
  select account_id, coalesce(postings, 0) as postings
  from (select account_id, count(*) as lines, min(version) as first, max(version) as last from ledger.account_history group by account_id) as kept
  full join (select account_id, count(*) as postings from (${statementSides}) as side group by account_id) as posted using (account_id)
  where (lines, first, last) is distinct from (postings, 1::bigint, postings)`;

/** Each line beside the posting it is of; the balance adds up what was posted, so that one wrong line is the only one named. */
const statementLines = `
  select history.account_id, history.version, history.delta, history.balance_after, posted.delta as posted_delta,
    count(*) over (partition by history.account_id, history.entry_id, history.line) as lines_of_posting,
    sum(coalesce(posted.delta, history.delta)) over (partition by history.account_id order by history.version) as posted_balance
  from ledger.account_history as history left join (${statementSides}) as posted using (account_id, entry_id, line)`;

const statements: readonly LedgerCheck[] = [
  comparison({
    table: "account_history",
    key: ["account_id", "version"],
    found: `select account_id, version from ledger.account_history where account_id in (select account_id from (${misnumbered}) as odd)`,
    expected: `select account_id, generate_series(1, postings) as version from (${misnumbered}) as odd`,
    of: ofAccount,
  }),
  {
    table: "account_history",
    sql: `
      select 'account_history' as "table", concat_ws('/', account_id, version) as key, (${ofAccount}) as "of", difference.*
      from (${statementLines}) as line
      cross join lateral (
        select 'is of no posting of its account' as problem, null as "column", null as found, null as expected where posted_delta is null
        union all
        select 'is of a posting that has another line', null, null, null where lines_of_posting > 1
        union all
        select 'was changed', compared.*
        from (values ('delta', delta::text, posted_delta::text), ('balance_after', balance_after::text, posted_balance::text))
          as compared (name, found, expected)
        where posted_delta is not null and compared.found <> compared.expected
          -- Where lines are missing, the balances after them cannot be told.
          and (name <> 'balance_after' or account_id not in (select account_id from (${misnumbered}) as odd))
      ) as difference
      where (delta = posted_delta and balance_after = posted_balance and lines_of_posting = 1) is not true`,
  },
];

/** Each month's end that was carried, from all that was effective up to then. A month that was closed with a later one is in that. */
const carriedBalances = `
  select account_id, carried.month, sum(sum(debit)) over in_order as debit, sum(sum(credit)) over in_order as credit
  from (
    select account_id, date_trunc('month', effective_at at time zone 'UTC')::date as month, sum(debit) as debit, sum(credit) as credit
    from ledger.journal_entry as entry join (${sides}) as side on side.entry_id = entry.id
    where exists (select from ledger.carried_month) group by account_id, 2
  ) as effective
  join lateral (select min(month) as month from ledger.carried_month where month >= effective.month) as carried on carried.month is not null
  group by account_id, carried.month
  window in_order as (partition by account_id order by carried.month)`;

/** All that follows from postings and holds. */
export const recomputedBalances: readonly LedgerCheck[] = [
  comparison({
    table: "account_balance",
    key: ["account_id"],
    columns: ["normal", "currency", "floor", "hot", "keep_history", "debit", "credit", "held", "version"],
    // A hot account's balance is what is stored and what is not folded yet.
    found: `
      select account_id, normal, currency, floor, hot, keep_history,
        stored.debit + coalesce(unfolded.debit, 0) as debit, stored.credit + coalesce(unfolded.credit, 0) as credit, held,
        version + coalesce(postings, 0) as version
      from ledger.account_balance as stored
      left join (
        select account_id, sum(debit) as debit, sum(credit) as credit, sum(postings) as postings from ledger.balance_delta group by account_id
      ) as unfolded using (account_id)`,
    expected: `
      select id as account_id, normal, currency, floor, hot, keep_history,
        coalesce(debit, 0) as debit, coalesce(credit, 0) as credit, coalesce(held, 0) as held, coalesce(postings, 0)::numeric as version
      from ledger.account
      left join (
        select account_id, sum(debit) as debit, sum(credit) as credit, count(*) as postings from (${sides}) as side group by account_id
      ) as posted on posted.account_id = id
      left join (
        select account_id, sum(amount) as held from ledger.hold_line as line
        where not exists (select from ledger.hold_resolution as resolution where resolution.hold_id = line.hold_id) group by account_id
      ) as open on open.account_id = id`,
    of: ofAccount,
  }),
  contradiction(
    "balance_delta",
    "account_id",
    "is no delta of a hot account",
    `ledger.balance_delta left join ledger.account as account on account.id = account_id
      where (hot and postings > 0 and debit >= 0 and credit >= 0 and debit + credit > 0) is not true`,
  ),
  ...statements,
  comparison({
    table: "period_balance",
    key: ["account_id", "month"],
    columns: ["debit", "credit"],
    found: "select account_id, month, debit, credit from ledger.period_balance",
    expected: carriedBalances,
    of: ofAccount,
  }),
  comparison({
    table: "carried_month",
    key: ["month"],
    found: "select month from ledger.carried_month",
    // In the order in which they were closed; a month with balances has been carried whatever is written here.
    expected: `
      select month from ledger.accounting_period as closed
      where month <= (select max(month) from ledger.carried_month) or exists (select from ledger.period_balance where month >= closed.month)`,
  }),
  comparison({
    table: "open_hold",
    key: ["hold_id"],
    columns: ["expires_at"],
    found: "select hold_id, expires_at from ledger.open_hold",
    expected: `
      select id as hold_id, expires_at from ledger.hold
      where not exists (select from ledger.hold_resolution as resolution where resolution.hold_id = id)`,
    of: "select hold.source_key from ledger.hold as hold where hold.id = hold_id",
  }),
];
