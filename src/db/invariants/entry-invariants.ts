import { cycles, type InvariantQuery, inLedgerUnits } from "./invariant-query.ts";

/** Facts that have one entry of a certain kind each, with the amount where the fact alone gives it. */
const factsWithEntries = `
  select 'invoice_issued' as kind, 'invoice' as cause_type, id as cause_id, customer_id, currency, null::numeric as amount
  from billing.invoice where total_minor <> 0 or balance_applied_minor <> 0
  union all
  select 'invoice_written_off', 'invoice', id, customer_id, currency, null
  from billing.invoice where status = 'uncollectible'
  union all
  select 'customer_balance_applied', 'customer_balance_application', id, customer_id, currency,
    ${inLedgerUnits("balance_applied_minor")}
  from billing.invoice where balance_applied_minor > 0
  union all
  select 'payment_succeeded', 'payment', payment.stripe_payment_intent_id, customer_id, currency,
    ${inLedgerUnits("payment.amount_minor")}
  from billing.payment as payment join billing.invoice as invoice on invoice.id = payment.invoice_id
  union all
  select 'credit_note_issued', 'credit_note', note.id, request.customer_id, request.currency, ${inLedgerUnits("request.total_minor")}
  from billing.credit_note as note join billing.credit_note_request as request on request.id = note.id
  union all
  select 'prepaid_credits_funded', 'credit_purchase', invoice.id, invoice.customer_id, invoice.currency,
    ${inLedgerUnits("credit.amount_minor")}
  from billing.credit_grant as credit join billing.invoice as invoice on invoice.id = credit.invoice_id
  where invoice.status = 'paid'
  union all
  select 'refund_succeeded', 'refund', id, customer_id, currency, ${inLedgerUnits("amount_minor")}
  from billing.refund where state = 'succeeded'
  union all
  select 'refund_failed', 'refund', id, customer_id, currency, null from billing.refund where state in ('failed', 'canceled')
  union all
  select 'dispute_lost', 'dispute', stripe_dispute_id, customer_id, currency, null
  from billing.invoice_dispute where status = 'lost' and withdrawn_minor > 0
  union all
  select 'payout_paid', 'payout', id, null, currency, null from stripe.payout where status = 'paid'`;

/** The same entries as they are in the ledger. Money for a written-off invoice is a payment too. */
const entriesOfFacts = `
  select case entry.kind when 'write_off_recovered' then 'payment_succeeded' else entry.kind end as kind,
    entry.cause_type, entry.cause_id, entry.customer_id, entry.currency,
    sum(posting.amount) filter (where debited.code = any (case entry.kind
      when 'customer_balance_applied' then array['2200']
      when 'prepaid_credits_funded' then array['2005']
      when 'credit_note_issued' then array['2000', '4910', '2300']
      when 'refund_succeeded' then array['2400']
      else array['1010'] end)) as amount
  from ledger.journal_entry as entry
  join ledger.posting as posting on posting.entry_id = entry.id
  join ledger.account as debited on debited.id = posting.debit_account
  where entry.kind in ('invoice_issued', 'invoice_written_off', 'customer_balance_applied', 'payment_succeeded',
    'write_off_recovered', 'credit_note_issued', 'prepaid_credits_funded', 'refund_succeeded', 'refund_failed', 'dispute_lost',
    'payout_paid')
  group by 1, 2, 3, 4, 5`;

/** Business facts and journal entries, matched in both directions. */
export const entryInvariants: readonly InvariantQuery[] = [
  {
    name: "V4: no two entries have one source key, one cause and kind, or undo the same entry",
    sql: `
      select min(id) as id, count(*) as entries, source_key as shared from ledger.journal_entry group by source_key having count(*) > 1
      union all
      select min(id), count(*), concat_ws(' ', cause_type, cause_id, kind) from ledger.journal_entry
      group by cause_type, cause_id, kind having count(*) > 1
      union all
      select min(id), count(*), 'undoes ' || reverses from ledger.journal_entry group by reverses having reverses is not null and count(*) > 1`,
  },
  {
    name: "V4: every invoice, payment, write-off, purchase of credits, refund, lost dispute and payout has its entry, of its customer, currency and amount",
    sql: `
      select fact.kind, fact.cause_id, fact.customer_id, fact.amount as expected_amount, entry.amount
      from (${factsWithEntries}) as fact
      left join (${entriesOfFacts}) as entry using (kind, cause_type, cause_id)
      where (entry.customer_id, entry.currency) is distinct from (fact.customer_id, fact.currency)
        or entry.amount <> fact.amount or (fact.amount is not null and entry.amount is null)`,
  },
  {
    name: "V4: every entry has the fact that it is the entry of",
    sql: `
      with cycle as materialized (${cycles})
      select id, source_key, kind, cause_type, cause_id from ledger.journal_entry as entry
      where not case
        when kind = 'invoice_issued' then cause_id in (select id from billing.invoice)
        when kind = 'credit_note_issued' then cause_id in (select id from billing.credit_note)
        when kind = 'invoice_voided' then cause_id in (select id from billing.invoice where status = 'void')
        when kind = 'invoice_written_off' then cause_id in (
          select id from billing.invoice where status = 'uncollectible'
          union all select metadata ->> 'invoice_id' from ledger.journal_entry where kind = 'write_off_recovered')
        when kind = 'customer_balance_applied' then cause_id in (select id from billing.invoice where balance_applied_minor > 0)
        when kind in ('payment_succeeded', 'write_off_recovered') then cause_id in (
          select stripe_payment_intent_id from billing.payment)
        when kind = 'balance_transaction_recorded' then metadata ->> 'payment_id' in (
          select stripe_payment_intent_id from billing.payment)
        when kind = 'refund_succeeded' then cause_id in (select id from billing.refund where state in ('succeeded', 'failed'))
        when kind = 'refund_failed' then cause_id in (select id from billing.refund where state in ('failed', 'canceled'))
        when kind in ('return_recorded', 'failed_refund_recorded') then metadata ->> 'refund_id' in (select id from billing.refund)
        when kind in ('dispute_opened', 'dispute_won', 'dispute_lost') then metadata ->> 'dispute_id' in (
          select stripe_dispute_id from billing.invoice_dispute)
        when kind = 'exchange_settled' then exists (
          select from ledger.journal_entry as event where (event.cause_type, event.cause_id) = (entry.cause_type, entry.cause_id)
            and event.kind in ('balance_transaction_recorded', 'return_recorded', 'failed_refund_recorded', 'dispute_opened',
              'dispute_won'))
        when kind in ('payout_sent', 'payout_paid', 'payout_failed') then metadata ->> 'payout_id' in (select id from stripe.payout)
        when kind in ('processor_fee_recorded', 'balance_transaction_unmatched') then cause_id in (
          select id from stripe.balance_transaction)
        when kind = 'prepaid_credits_funded' then cause_id in (
          select invoice.id from billing.credit_grant as credit join billing.invoice as invoice on invoice.id = credit.invoice_id
          where invoice.status = 'paid')
        when kind = 'promotional_credits_granted' and cause_id in (
          select id from billing.credit_grant where recurring_grant_id is not null) then true
        when kind in ('promotional_credits_granted', 'goodwill_granted', 'goodwill_withdrawn', 'grant_adjusted', 'grant_voided')
          then (kind, cause_type, cause_id) in (
            select entry_kind, cause_type, cause_id from billing.adjustment_standing where status = 'executed')
        when kind = 'grant_expired' then cause_id in (select grant_id from billing.credit_grant_end)
        when kind = 'revenue_recognised' then cause_id in (select id from cycle where is_first_closing)
        when kind in ('usage_rated', 'credits_burned') then cause_id in (select id from cycle where after_revision is null)
        when kind = 'late_usage_adjusted' then cause_id in (select id from cycle where after_revision is not null)
        when kind = 'proration_credited' then cause_id in (select change_id from billing.subscription_change)
        when kind = 'reversal' then reverses is not null
        else false
      end`,
  },
];
