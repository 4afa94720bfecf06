import {
  customerTime,
  type InvariantLimits,
  type InvariantQuery,
  inLedgerUnits,
  seconds,
  sides,
} from "./invariant-query.ts";

/** Accounts that money only passes through. Its age is judged by the clock of the customer whose money it is. */
export function clearingInvariants({ clearing }: Pick<InvariantLimits, "clearing">): InvariantQuery[] {
  const limit = seconds(clearing);
  return [
    {
      name: "V6: every payment in 1010 has become a balance transaction in time, and nothing else is in there",
      sql: `
        select payment_id, customer_id, currency, amount, since
        from (
          select metadata ->> 'payment_id' as payment_id, customer_id, currency, sum(amount) as amount, max(effective_at) as since
          from (${sides}) as side where code = '1010' group by 1, 2, 3
        ) as waiting
        left join (${customerTime}) as time using (customer_id)
        where amount <> 0 and (payment_id is null or since < coalesce(time.now, now()) - ${limit})`,
    },
    {
      name: "V6: nothing stays in suspense, 9100",
      sql: `
        select cause_id, customer_id, currency, amount, since
        from (
          -- Whose it was is known only when it is explained.
          select cause_id, currency, max(customer_id) as customer_id, sum(amount) as amount, max(effective_at) as since
          from (${sides}) as side where code = '9100' group by 1, 2
        ) as waiting
        left join (${customerTime}) as time using (customer_id)
        where amount <> 0 and since < coalesce(time.now, now()) - ${limit}`,
    },
    {
      name: "V6: money promised back has left 2400 once the refund is over, and 1120 is empty once a dispute is",
      sql: `
        select balance.key, balance.balance, refund.state as state
        from ledger.balance as balance join billing.refund as refund on refund.id = balance.dimensions ->> 'refund'
        where balance.code = '2400' and balance.balance <> 0 and refund.state in ('succeeded', 'failed', 'canceled')
        union all
        select balance.key, balance.balance, dispute.status
        from ledger.balance as balance
        join billing.invoice_dispute as dispute on dispute.stripe_dispute_id = balance.dimensions ->> 'dispute'
        where balance.code = '1120' and balance.balance <> 0 and not dispute.is_open`,
    },
    {
      name: "V6: a payout that is over has left 1030",
      sql: `
        select payout.id, payout.status, sum(side.amount) as amount
        from (${sides}) as side join stripe.payout as payout on payout.id = side.metadata ->> 'payout_id'
        where side.code = '1030' and payout.status in ('paid', 'failed', 'canceled')
          and payout.changed_at < now() - ${limit}
        group by payout.id having sum(side.amount) <> 0`,
    },
    {
      name: "V6: credits of a paid purchase have left 2005",
      sql: `
        select balance.key, balance.balance, invoice.paid_at
        from ledger.balance as balance
        join billing.invoice as invoice on invoice.id = balance.dimensions ->> 'purchase'
        join (${customerTime}) as time on time.customer_id = invoice.customer_id
        where balance.code = '2005' and balance.balance <> 0 and invoice.paid_at < time.now - ${limit}`,
    },
    {
      name: "V6: in 1110 a customer has nothing but what is carried to the next invoice",
      sql: `
        select balance.key, balance.balance, coalesce(carried.amount, 0) as carried
        from ledger.balance as balance
        join (${customerTime}) as time using (customer_id)
        left join (
          select customer_id, currency, ${inLedgerUnits("-sum(line.amount_minor)")} as amount
          from billing.invoice as invoice join billing.invoice_line as line on line.invoice_id = invoice.id
          where invoice.status <> 'void' and line.kind in ('carried_forward', 'carried_over')
          group by 1, 2
        ) as carried using (customer_id, currency)
        where balance.code = '1110' and balance.balance <> coalesce(carried.amount, 0) and time.now - ${limit} > (
          select max(entry.effective_at) from ledger.posting as posting
          join ledger.journal_entry as entry on entry.id = posting.entry_id
          where balance.account_id in (posting.debit_account, posting.credit_account))`,
    },
  ];
}
