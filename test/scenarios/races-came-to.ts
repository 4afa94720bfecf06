import type { Database } from "../../src/db/database.ts";

/**
 * What a customer's subscription, bills and books came to, without the names and ids by which customers differ: two who
 * were asked the same in the same order came to the same.
 */
export async function cameTo(
  { sql }: Database,
  customerId: string,
  subscriptionId: string,
): Promise<string[]> {
  const found = await sql<{ text: string }[]>`
    with own as (select * from billing.invoice where customer_id = ${customerId}),
    said as (
      select 'subscription ' || (to_jsonb(row) - '{id,customer_id,recorded_at,recorded_xid}'::text[])::text as text
        from billing.subscription as row where id = ${subscriptionId}
      union all
      select 'terms ' || (to_jsonb(row) - '{subscription_id,recorded_at,recorded_xid}'::text[])::text
        from billing.subscription_terms as row where subscription_id = ${subscriptionId}
      union all
      select 'change ' || jsonb_build_array(change_id, change.kind, effective_at, own.kind, own.period_start)::text
        from billing.subscription_change as change left join own on own.id = invoice_id
        where change.subscription_id = ${subscriptionId}
      union all
      select 'agreed ' || jsonb_build_array(change_id, kind, effective_at, outcome, resolved_at, code)::text
        from billing.scheduled_change left join billing.scheduled_change_resolution using (subscription_id, change_id)
        where subscription_id = ${subscriptionId}
      union all
      select 'invoice ' || jsonb_build_array(kind, status, period_start, period_end, subtotal_minor,
          credits_applied_minor, balance_applied_minor, total_minor, issued_at)::text
        from own
      union all
      select 'line ' || jsonb_build_array(own.kind, own.period_start, line.line, line.kind, product, quantity,
          exact_minor, amount_minor, line.period_start, line.period_end)::text
        from billing.invoice_line as line join own on own.id = invoice_id
      union all
      select 'rated ' || jsonb_build_array(run.period_start, run.revision, event_count, price_key, quantity, exact_minor)::text
        from billing.rating_run as run left join billing.rated_usage using (subscription_id, period_start, revision)
        where subscription_id = ${subscriptionId}
      union all
      select 'entry ' || jsonb_build_array(entry.kind, entry.effective_at, posting.line, debit.key, credit.key, amount)::text
        from ledger.posting
        join ledger.journal_entry as entry on entry.id = entry_id
        join ledger.account as debit on debit.id = debit_account
        join ledger.account as credit on credit.id = credit_account
        where entry.customer_id = ${customerId}
    )
    select text from said order by text`;
  return found.map(({ text }) => text.replaceAll(customerId, "CUSTOMER"));
}
