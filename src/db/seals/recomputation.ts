/** A query that gives a `LedgerFinding` for each row of the ledger that is not what follows from the others. */
export interface LedgerCheck {
  readonly table: string;
  readonly sql: string;
}

/** A table beside what it should be. */
interface Comparison {
  readonly table: string;
  /** The columns that name a row. */
  readonly key: readonly string[];
  /** None where it only matters which rows there are. */
  readonly columns?: readonly string[];
  /** Queries of key and columns: as it is … */
  readonly found: string;
  /** … and as it follows to be. */
  readonly expected: string;
  /** What a row belongs to, in SQL over the columns of its key. */
  readonly of?: string;
}

/** Finds rows that should not be there, that are missing, and every column that is not what it should be. */
export function comparison({
  table,
  key,
  columns = [],
  found,
  expected,
  of = "null",
}: Comparison): LedgerCheck {
  const values = [
    "(null, null, null)",
    ...columns.map((column) => `('${column}', found.${column}::text, expected.${column}::text)`),
  ];
  const differs = columns.map((column) => `or found.${column} is distinct from expected.${column}`);
  return {
    table,
    sql: `
      select '${table}' as "table", concat_ws('/', ${key.join(", ")}) as key, (${of})::text as "of", difference.*
      from (select *, true as is_there from (${found}) as stored) as found
      full join (select *, true as is_there from (${expected}) as recomputed) as expected using (${key.join(", ")})
      cross join lateral (
        select 'should not be there' as problem, null as "column", null as found, null as expected where expected.is_there is null
        union all
        select 'is missing', null, null, null where found.is_there is null
        union all
        select 'was changed', compared.* from (values ${values.join(", ")}) as compared (name, found, expected)
        where found.is_there and expected.is_there and compared.found is distinct from compared.expected
      ) as difference
      where (found.is_there and expected.is_there) is not true ${differs.join(" ")}`,
  };
}

/** Finds the rows of a fact that contradict other facts. */
export function contradiction(table: string, key: string, problem: string, from: string): LedgerCheck {
  return {
    table,
    sql: `select '${table}' as "table", concat_ws('/', ${key}) as key, '${problem}' as problem from ${from}`,
  };
}

/** Every posting from both of its accounts: what all balances are sums of. */
export const sides = `
  select entry_id, line, debit_account as account_id, amount as debit, 0 as credit from ledger.posting
  union all select entry_id, line, credit_account, 0, amount from ledger.posting`;

/** The key of the account that a row is about. */
export const ofAccount = "select account.key from ledger.account as account where account.id = account_id";
