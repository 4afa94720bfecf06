import { chartOfAccounts, normalSideOf } from "../../domain/ledger/index.ts";
import { comparison, contradiction, type LedgerCheck } from "./recomputation.ts";

/** The chart of accounts of the code, as rows of `chart_account`. */
const chartRows = Object.entries(chartOfAccounts).map(([code, account]) => ({
  code,
  name: account.name,
  class: account.class,
  normal: normalSideOf(account.class) === "debit" ? 1 : -1,
  bounded: "bounded" in account,
  hot: "hot" in account,
  keep_history: "keepHistory" in account,
  dimensions: account.dimensions,
}));
const chart = `
  select * from jsonb_to_recordset('${JSON.stringify(chartRows).replaceAll("'", "''")}'::jsonb) as chart (
    code text, name text, class text, normal smallint, bounded boolean, hot boolean, keep_history boolean, dimensions text[])`;

/** What an account's key says: code/currency/name=value/…, the signs of the spelling itself written %25, %2F and %3D. */
const namedByKey = `
  select id, split_part(key, '/', 1) as code, split_part(key, '/', 2) as currency, coalesce((
    select jsonb_object_agg(split_part(part, '=', 1),
      replace(replace(replace(split_part(part, '=', 2), '%3D', '='), '%2F', '/'), '%25', '%'))
    from unnest((string_to_array(key, '/'))[3:]) as part), '{}') as dimensions
  from ledger.account`;

/** What entries claim for ever. */
const claims = `
  select encode(substr(sha256(convert_to(claimed, 'UTF8')), 1, 16), 'hex')::uuid as hash, id as entry_id
  from ledger.journal_entry
  cross join lateral unnest(array[
    'source/' || source_key,
    'cause/' || kind || '/' || octet_length(cause_type) || '/' || cause_type || '/' || cause_id,
    'reverses/' || reverses]) as claimed
  where claimed is not null`;

const bounds = String.raw`'FROM \(''(-?\d+)''\) TO \(''(-?\d+)''\)'`;

/** The partitions that there are, by the numbers in their names. */
const partitions = `
  select substring(relname from '\\d+$')::int as number, (bound)[1]::bigint as first_id, (bound)[2]::bigint as end_id
  from pg_inherits join pg_class on pg_class.oid = inhrelid
  cross join lateral regexp_match(pg_get_expr(relpartbound, pg_class.oid), ${bounds}) as bound
  where inhparent in ('ledger.journal_entry'::regclass, 'ledger.posting'::regclass)`;

/** All that follows from the chart of accounts, from keys and from entries. */
export const recomputedEntries: readonly LedgerCheck[] = [
  comparison({
    table: "chart_account",
    key: ["code"],
    columns: ["name", "class", "normal", "bounded", "hot", "keep_history", "dimensions"],
    found: "select * from ledger.chart_account",
    expected: chart,
  }),
  comparison({
    table: "account",
    key: ["id"],
    columns: [
      "code",
      "class",
      "normal",
      "currency",
      "floor",
      "hot",
      "keep_history",
      "customer_id",
      "dimensions",
    ],
    found: "select * from ledger.account",
    expected: `
      select named.id, named.code, chart.class, chart.normal, named.currency, case when chart.bounded then 0 end::numeric as floor, chart.hot,
        chart.keep_history, named.dimensions ->> 'customer' as customer_id, named.dimensions
      from (${namedByKey}) as named left join (${chart}) as chart using (code)`,
    of: "select account.key from ledger.account as account where account.id = found.id",
  }),
  comparison({
    table: "entry_key",
    key: ["hash"],
    columns: ["entry_id"],
    found: "select hash, entry_id from ledger.entry_key",
    expected: claims,
    of: "select entry.source_key from ledger.journal_entry as entry where entry.id = coalesce(expected.entry_id, found.entry_id)",
  }),
  comparison({
    table: "entry_range",
    key: ["number"],
    columns: ["first_id", "end_id"],
    found: "select number, first_id, end_id from ledger.entry_range",
    expected: `select distinct number, first_id, end_id from (${partitions}) as partition`,
  }),
  contradiction(
    "posting",
    "posting.entry_id, posting.line",
    "does not fit its entry and its accounts",
    `ledger.posting as posting
      left join ledger.journal_entry as entry on entry.id = posting.entry_id
      left join ledger.account as debited on debited.id = posting.debit_account
      left join ledger.account as credited on credited.id = posting.credit_account
      where (entry.currency = posting.currency and debited.currency = posting.currency and credited.currency = posting.currency) is not true`,
  ),
  contradiction(
    "journal_entry",
    "entry.id",
    "has no postings",
    "ledger.journal_entry as entry where not exists (select from ledger.posting where entry_id = entry.id)",
  ),
  contradiction(
    "hold_line",
    "line.hold_id, line.line",
    "does not fit its hold and its account",
    `ledger.hold_line as line
      left join ledger.hold as hold on hold.id = line.hold_id
      left join ledger.account as account on account.id = line.account_id
      where (hold.currency = account.currency and account.floor is not null) is not true`,
  ),
  contradiction(
    "hold_resolution",
    "hold_id",
    "is of no hold",
    "ledger.hold_resolution as resolution where not exists (select from ledger.hold where hold.id = resolution.hold_id)",
  ),
];
