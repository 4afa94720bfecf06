import type { Database } from "../../src/db/database.ts";
import type { Surroundings } from "./system-surroundings.ts";

/**
 * Everything a system's money came to, as sorted text that can be compared with another system's. Left out is only what
 * differs between two runs of one story: the ids that Stripe gives, and when a row was written by the wall clock.
 */
export interface Figures {
  readonly invoices: readonly string[];
  readonly lines: readonly string[];
  readonly ratedUsage: readonly string[];
  readonly entries: readonly string[];
  readonly balances: readonly string[];
  readonly payments: readonly string[];
  readonly attempts: readonly string[];
  readonly invoicesAtStripe: readonly string[];
  readonly chargesAtStripe: readonly string[];
}

const queries = {
  invoices: `select id, number, kind, status, customer_id, period_start, period_end, subtotal_minor,
      credits_applied_minor, balance_applied_minor, total_minor, amount_paid_minor, issued_at, paid_at
    from billing.invoice`,
  lines: `select invoice_id, line, kind, product, quantity, exact_minor, amount_minor, period_start, period_end
    from billing.invoice_line`,
  ratedUsage: `select run.subscription_id, run.period_start, run.revision, run.event_count, rated.price_key,
      rated.quantity, rated.exact_minor
    from billing.rating_run run left join billing.rated_usage rated using (subscription_id, period_start, revision)`,
  // Credit that has run out of time is booked out by a worker's next look: at which instant of a test clock that is, is chance.
  entries: `select entry.source_key, entry.kind,
      case entry.kind when 'grant_expired' then null else entry.effective_at end as effective_at, posting.line, debit.key as debit,
      credit.key as credit, posting.amount
    from ledger.journal_entry entry
    join ledger.posting on posting.entry_id = entry.id
    join ledger.account debit on debit.id = posting.debit_account
    join ledger.account credit on credit.id = posting.credit_account`,
  balances: "select key, debit, credit, balance from ledger.balance",
  payments: "select invoice_id, amount_minor, received_at from billing.payment",
  attempts: "select invoice_id, attempt, cause, outcome, attempted_at from billing.payment_attempt",
} as const;

interface StripeDump {
  readonly invoices: readonly Record<"status" | "total" | "amount_paid" | "metadata", unknown>[];
  readonly charges: readonly Record<"status" | "amount", unknown>[];
}

export async function figuresOf(db: Database, { account }: Surroundings): Promise<Figures> {
  const tables = await Promise.all(
    Object.entries(queries).map(async ([name, query]) => [name, sorted(await db.sql.unsafe(query))]),
  );
  const { invoices, charges } = await account.control<StripeDump>("dump");
  return {
    ...(Object.fromEntries(tables) as Record<keyof typeof queries, string[]>),
    invoicesAtStripe: sorted(
      invoices.map(({ status, total, amount_paid, metadata }) => ({ status, total, amount_paid, metadata })),
    ),
    chargesAtStripe: sorted(charges.map(({ status, amount }) => ({ status, amount }))),
  };
}

export function sorted(rows: readonly object[]): string[] {
  const asText = (_name: string, value: unknown) => (typeof value === "bigint" ? value.toString() : value);
  return rows.map((row) => JSON.stringify(row, asText).replaceAll(/\b(pi|txn|ch)_\w+/g, "$1")).toSorted();
}
