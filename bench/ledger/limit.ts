import postgres from "postgres";
import type { PreparedCall } from "./calls.ts";
import { randomNumbers } from "./workload.ts";

/**
 * What this machine and this PostgreSQL can do at most: two account updates and the inserts of a transfer and of its
 * entry, with no rule at all and no key beyond the primary ones. Accounts come as numbers, nothing is looked up.
 * `transfer_each` does it for each transfer of a call, `transfer_set` for all of them in a few statements. Both take the
 * accounts' locks in one order first, or large calls would do nothing but deadlock.
 */
const schema = `
  create schema bare;
  create table bare.account (id bigint primary key, debit numeric(38, 0) not null, credit numeric(38, 0) not null)
    with (fillfactor = 50);
  create table bare.transfer (
    id bigint generated always as identity primary key, key text not null, kind text not null, customer_id text not null,
    occurred_at timestamptz not null, recorded_at timestamptz not null default clock_timestamp());
  create table bare.entry (
    transfer_id bigint primary key, debit_account bigint not null, credit_account bigint not null, amount numeric(38, 0) not null);

  create function bare.transfer_one(key text, customer text, occurred timestamptz, debit_id bigint, credit_id bigint, amount numeric)
  returns int language plpgsql as $$
  declare
    transfer bigint;
  begin
    if debit_id < credit_id then
      update bare.account set debit = debit + amount where id = debit_id;
      update bare.account set credit = credit + amount where id = credit_id;
    else
      update bare.account set credit = credit + amount where id = credit_id;
      update bare.account set debit = debit + amount where id = debit_id;
    end if;
    insert into bare.transfer (key, kind, customer_id, occurred_at) values (key, 'benchmark', customer, occurred) returning id into transfer;
    insert into bare.entry values (transfer, debit_id, credit_id, amount);
    return 1;
  end
  $$;

  create function bare.transfer_each(keys text[], customers text[], instants timestamptz[], debits bigint[], credits bigint[], amounts numeric[])
  returns bigint language plpgsql as $$
  begin
    perform from bare.account where id = any (debits || credits) order by id for update;
    for number in 1 .. cardinality(keys) loop
      perform bare.transfer_one(keys[number], customers[number], instants[number], debits[number], credits[number], amounts[number]);
    end loop;
    return cardinality(keys);
  end
  $$;

  create function bare.transfer_set(keys text[], customers text[], instants timestamptz[], debits bigint[], credits bigint[], amounts numeric[])
  returns bigint language plpgsql as $$
  declare
    posted bigint;
  begin
    perform from bare.account where id = any (debits || credits) order by id for update;
    update bare.account as account set debit = account.debit + change.debit, credit = account.credit + change.credit
    from (
      select id, sum(debit) as debit, sum(credit) as credit from (
        select id, amount as debit, 0 as credit from unnest(debits, amounts) as side (id, amount)
        union all select id, 0, amount from unnest(credits, amounts) as side (id, amount)
      ) as side group by id
    ) as change
    where account.id = change.id;
    with wanted as (
      select nextval('bare.transfer_id_seq') as id, *
      from unnest(keys, customers, instants, debits, credits, amounts) as item (key, customer, occurred, debit, credit, amount)
    ), transfer as (
      insert into bare.transfer (id, key, kind, customer_id, occurred_at) overriding system value
      select id, key, 'benchmark', customer, occurred from wanted
    )
    insert into bare.entry select id, debit, credit, amount from wanted;
    get diagnostics posted = row_count;
    return posted;
  end
  $$;

  grant usage on schema bare to reckoner_app;
  grant select, insert, update on all tables in schema bare to reckoner_app;
  grant usage on all sequences in schema bare to reckoner_app;`;

/** How the transfers of a call are made: each by itself, or as a set. */
export type Limit = "limit" | "limit as set";

export const isLimit = (work: string): work is Limit => work.startsWith("limit");

/** Makes the bare schema, with as many accounts as the ledger has. */
export async function createLimit(ownerUrl: string, accounts: number): Promise<void> {
  const owner = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  try {
    await owner.unsafe(schema);
    await owner`insert into bare.account select id, 0, 0 from generate_series(1, ${accounts}::bigint) as id`;
    await owner`vacuum (analyze) bare.account`;
  } finally {
    await owner.end();
  }
}

export function limitStatement(limit: Limit, batch: number): string {
  if (batch === 1) {
    return `select bare.transfer_one($1, $2, $3::text::timestamptz, $4::text::bigint, $5::text::bigint, $6::text::numeric) as created`;
  }
  return `select bare.${limit === "limit" ? "transfer_each" : "transfer_set"}($1::text::text[], $2::text::text[],
    $3::text::timestamptz[], $4::text::bigint[], $5::text::bigint[], $6::text::numeric[]) as created`;
}

/** A call of so many transfers, each between two random accounts. */
export function limitCalls(accounts: number): (batch: number) => PreparedCall {
  const random = randomNumbers(1);
  const anyOf = (count: number) => Math.floor(random() * count);
  let number = 0;
  const transfer = () => {
    const debit = anyOf(accounts);
    const credit = (debit + 1 + anyOf(accounts - 1)) % accounts;
    const customer = `cus_${String(debit).padStart(10, "0")}`;
    const key = `window/${customer}/2026-01/${number++}/rated`;
    return [key, customer, "2026-01-15T00:00:00.000Z", debit + 1, credit + 1, 1 + anyOf(1e9)];
  };
  return (batch) => {
    const transfers = Array.from({ length: batch }, transfer);
    const columns = transfers[0]?.map((_, column) => transfers.map((fields) => fields[column])) ?? [];
    const parameters = columns.map((column) => (batch === 1 ? `${column}` : `{${column.join(",")}}`));
    return { entries: batch, parameters };
  };
}
