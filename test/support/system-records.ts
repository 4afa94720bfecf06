import type { Database } from "../../src/db/database.ts";
import { sorted } from "./system-figures.ts";

const wholeRows = (table: string) =>
  `select to_jsonb(row) - '{recorded_at,recorded_xid,number}'::text[] as row from billing.${table} as row`;

/** By their ids, which are the same in two systems only when both were asked by one caller, under the same keys. */
const queries = {
  // Which transaction saw which usage first is no part of what was billed.
  facts: `select invoice_id, part, facts #- '{known,snapshot}' as facts from billing.invoice_part`,
  subscriptions: wholeRows("subscription"),
  terms: wholeRows("subscription_terms"),
  changes: wholeRows("subscription_change"),
  agreedForLater: `select to_jsonb(agreed) - '{recorded_at,recorded_xid,number}'::text[] as agreed,
      to_jsonb(resolution) - '{recorded_at,recorded_xid}'::text[] as resolution
    from billing.scheduled_change agreed
    left join billing.scheduled_change_resolution resolution using (subscription_id, change_id)`,
  grants: wholeRows("credit_grant"),
  grantEnds: wholeRows("credit_grant_end"),
  draws: wholeRows("credit_draw"),
  dunnings: wholeRows("dunning"),
  notices: "select invoice_id, fact, moment, notice, said_at from billing.dunning_notice",
} as const;

export type Records = Readonly<Record<keyof typeof queries, readonly string[]>>;

/** What was agreed with everybody, and what became of it, as sorted text. Left out is when a row was written by the wall clock. */
export async function recordsOf({ sql }: Database): Promise<Records> {
  const tables = await Promise.all(
    Object.entries(queries).map(async ([name, query]) => [name, sorted(await sql.unsafe(query))]),
  );
  return Object.fromEntries(tables);
}
