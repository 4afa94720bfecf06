import { cycles, type InvariantQuery, inLedgerUnits, sides } from "./invariant-query.ts";

/** An invoice says the same in its lines, in its totals, in its payments and in the ledger. */
export const invoiceInvariants: readonly InvariantQuery[] = [
  {
    name: "V8: an invoice's subtotal and tax are the sum of its lines, and credits and balance taken off make its total",
    sql: `
      select invoice.id, subtotal_minor, tax_minor, credits_applied_minor, balance_applied_minor, total_minor,
        sum(line.amount_minor) as lines
      from billing.invoice as invoice left join billing.invoice_line as line on line.invoice_id = invoice.id
      group by invoice.id
      having subtotal_minor + tax_minor <> coalesce(sum(line.amount_minor), 0)
        or total_minor <> subtotal_minor - credits_applied_minor + tax_minor - balance_applied_minor`,
  },
  {
    name: "V8: an invoice is for its parts: one is of its subscription, several are of periods that it closes together",
    sql: `
      select invoice.id, kind, invoice.subscription_id, count(part.part) as parts
      from billing.invoice as invoice left join billing.invoice_part as part on part.invoice_id = invoice.id
      left join billing.subscription as subscription on subscription.id = part.subscription_id
      left join lateral (
        select count(*) as closings from billing.rating_run as run
        where run.subscription_id = part.subscription_id and run.invoice_id = invoice.id and run.kind = 'closing'
          and (run.period_start, run.period_end) = (part.period_start, part.period_end)
      ) as run on invoice.kind = 'cycle'
      group by invoice.id
      having count(part.part) = 0 or count(part.part) <> max(part.part)
        or invoice.subscription_id is distinct from case when count(part.part) = 1 then min(part.subscription_id) end
        or invoice.kind <> 'cycle' and count(part.part) <> 1
        or invoice.kind = 'cycle' and not bool_and(run.closings = 1)
        or not coalesce(bool_and((subscription.customer_id, subscription.currency) = (invoice.customer_id, invoice.currency)), true)
        or invoice.period_start is distinct from min(part.period_start) or invoice.period_end is distinct from min(part.period_end)
        or min(part.period_end) is distinct from max(part.period_end)`,
  },
  {
    name: "V8: an invoice's total is what it added to its customer's receivable, and what it hands back is in the customer's balance",
    sql: `
      select invoice.id, total_minor, balance_applied_minor, booked.receivable, booked.handed_back
      from billing.invoice as invoice
      left join (
        select metadata ->> 'invoice_id' as id, coalesce(sum(amount) filter (where code = '1100'), 0) as receivable,
          -coalesce(sum(amount) filter (where code = '2200' and kind = 'invoice_issued'), 0) as handed_back
        from (${sides}) as side where kind in ('invoice_issued', 'customer_balance_applied') group by 1
      ) as booked using (id)
      where coalesce(booked.receivable, 0) <> ${inLedgerUnits("total_minor")}
        or coalesce(booked.handed_back, 0) <> ${inLedgerUnits("greatest(-balance_applied_minor, 0)")}`,
  },
  {
    name: "V8: an invoice has the payments it says it has, and is paid when they are enough",
    sql: `
      select invoice.id, status, total_minor, credited_minor, amount_paid_minor, coalesce(sum(payment.amount_minor), 0) as received
      from billing.invoice as invoice left join billing.payment as payment on payment.invoice_id = invoice.id
      group by invoice.id
      having amount_paid_minor <> coalesce(sum(payment.amount_minor), 0)
        or status = 'paid' and amount_paid_minor + credited_minor < total_minor
        or status in ('open', 'uncollectible') and amount_paid_minor + credited_minor >= total_minor`,
  },
  {
    name: "V8: an invoice is lowered by its credit notes, and none takes more of a line or of the money paid than there is",
    sql: `
      select invoice.id, credited_minor, coalesce(note.lowered, 0) as lowered, note.taken
      from billing.invoice as invoice
      left join (
        select request.invoice_id, sum(note.lowers_due_minor) as lowered, 
          sum(note.lowers_due_minor + note.to_balance_minor + note.to_refund_minor) as taken
        from billing.credit_note as note join billing.credit_note_request as request on request.id = note.id group by 1
      ) as note on note.invoice_id = invoice.id
      where credited_minor <> coalesce(note.lowered, 0) or note.taken > total_minor + greatest(balance_applied_minor, 0)
      union all
      select line.invoice_id, line.line, line.amount_minor, sum(credited.amount_minor)
      from billing.invoice_line as line
      join billing.credit_note_line as credited on credited.invoice_id = line.invoice_id and credited.line = line.line
      join billing.credit_note as note on note.id = credited.credit_note_id
      group by line.invoice_id, line.line having sum(credited.amount_minor) > line.amount_minor`,
  },
  {
    name: "V8: the numbers of invoices and of credit notes count from one without gaps, each series by itself",
    sql: `
      select kind, series, count(*) as documents, max(place) as last
      from (
        select 'invoice' as kind, regexp_replace(number, '-[0-9]+$', '') as series, substring(number from '[0-9]+$')::int as place
        from billing.invoice
        union all
        select 'credit_note', regexp_replace(number, '-[0-9]+$', ''), substring(number from '[0-9]+$')::int from billing.credit_note
      ) as numbered
      group by kind, series having count(*) <> max(place) or min(place) <> 1`,
  },
  {
    name: "V8: what a customer owes, 1100, is what is due on the open invoices",
    sql: `
      select customer_id, currency, balance.balance, due.amount as due
      from (select customer_id, currency, balance from ledger.balance where code = '1100') as balance
      full join (
        select customer_id, currency, ${inLedgerUnits("sum(total_minor - credited_minor - amount_paid_minor)")} as amount
        from billing.invoice where status = 'open' group by 1, 2
      ) as due using (customer_id, currency)
      where coalesce(balance.balance, 0) <> coalesce(due.amount, 0)`,
  },
  {
    name: "V8: the closed periods of a subscription follow one another from its start to where it is billed through",
    sql: `
      select id as subscription_id, period_start, period_end, started_at, billed_through
      from (
        select subscription.id, started_at, billed_through, run.period_start, run.period_end,
          lag(run.period_end, 1, started_at) over in_order as due_start,
          lead(run.period_start, 1, billed_through) over in_order as due_end
        from billing.subscription as subscription
        left join (${cycles}) as run on run.subscription_id = subscription.id and run.is_first_closing
        window in_order as (partition by subscription.id order by run.period_start)
      ) as period
      where period_start <> due_start or period_end <> due_end or (period_start is null and billed_through <> started_at)`,
  },
];
