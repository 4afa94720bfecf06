import { mayDecide } from "./deciders.ts";
import { type InvariantQuery, inLedgerUnits, sides } from "./invariant-query.ts";

/** What the customer got by each entry: in a grant where it is about one, else in their balance. */
const bookedChanges = `
  select kind as entry_kind, cause_type, cause_id, customer_id, currency,
    -coalesce(sum(amount) filter (where code in ('2000', '2010')), sum(amount) filter (where code = '2200')) as change
  from (${sides}) as side group by 1, 2, 3, 4, 5`;

/** What each grant should hold: what was given or paid for, as it was adjusted, less what was drawn; nothing after its end. */
const expectedGrants = `
  select credit.id as grant_id, case
      when ended.grant_id is not null or credit.kind = 'paid' and coalesce(invoice.status, 'none') <> 'paid' then 0
      else ${inLedgerUnits("credit.amount_minor")} + credit.amount_fraction + coalesce(adjusted.change, 0)
      - coalesce(drawn.amount, 0) + coalesce(returned.amount, 0) - coalesce(credited.amount, 0)
    end as amount
  from billing.credit_grant as credit
  left join billing.invoice as invoice on invoice.id = credit.invoice_id
  left join (
    select grant_id, sum(change) as change from billing.adjustment_standing
    where kind = 'adjust_grant' and status = 'executed' group by 1
  ) as adjusted on adjusted.grant_id = credit.id
  left join (select grant_id, sum(amount) as amount from billing.credit_draw group by 1) as drawn on drawn.grant_id = credit.id
  left join (
    select draw.grant_id, sum(returned.amount) as amount
    from billing.credit_return as returned join billing.credit_draw as draw using (invoice_id, position)
    where returned.returned_to = 'grant' group by 1
  ) as returned on returned.grant_id = credit.id
  left join (
    -- Bought, and given back by credit notes.
    select line.invoice_id, ${inLedgerUnits("sum(credited.amount_minor)")} as amount
    from billing.invoice_line as line
    join billing.credit_note_line as credited on (credited.invoice_id, credited.line) = (line.invoice_id, line.line)
    join billing.credit_note as note on note.id = credited.credit_note_id
    where line.kind = 'credit_purchase' group by 1
  ) as credited on credited.invoice_id = credit.invoice_id
  left join (
    select grant_id from billing.adjustment_standing where kind = 'void_grant' and status = 'executed'
    union select grant_id from billing.credit_grant_end
  ) as ended on ended.grant_id = credit.id`;

/** Adjustments: each executed one is booked as it was asked for, and what is large was agreed to by somebody else. */
export const adjustmentInvariants: readonly InvariantQuery[] = [
  {
    name: "V4: every executed adjustment is booked, for its customer, in its currency and amount; a void for no more than was asked for",
    sql: `
      select adjustment.id, adjustment.kind, adjustment.change as expected, booked.change
      from billing.adjustment_standing as adjustment
      left join (${bookedChanges}) as booked using (entry_kind, cause_type, cause_id)
      where status = 'executed' and (
        (booked.customer_id, booked.currency) is distinct from (adjustment.customer_id, adjustment.currency) or case
          when adjustment.kind = 'void_grant' then booked.change not between adjustment.change and -1
          else booked.change is distinct from adjustment.change
        end)`,
  },
  {
    name: "V4: every grant that was given is what an adjustment asked for, and the other way round",
    sql: `
      select credit.id, adjustment.id as adjustment_id, adjustment.grant_id
      from (select * from billing.credit_grant where kind <> 'paid' and recurring_grant_id is null) as credit
      full join (
        select * from billing.adjustment_standing where kind = 'grant_credit' and status = 'executed'
      ) as adjustment on adjustment.grant_id = credit.id
      where (credit.customer_id, credit.kind, credit.currency, ${inLedgerUnits("credit.amount_minor")}, credit.priority,
          credit.expires_at, credit.scope, credit.effective_at)
        is distinct from (adjustment.customer_id, adjustment.grant_kind, adjustment.currency, adjustment.change,
          adjustment.priority, adjustment.expires_at, adjustment.scope, greatest(adjustment.starts_at, adjustment.effective_at))`,
  },
  {
    name: "V4: a grant holds what was given or paid for, as it was adjusted, less what was drawn and refunded, with what went back; a voided or ended one holds nothing",
    sql: `
      select grant_id, expected.amount as expected, balance.balance
      from (${expectedGrants}) as expected
      full join (
        select dimensions ->> 'grant' as grant_id, balance from ledger.balance where code in ('2000', '2010')
      ) as balance using (grant_id)
      where coalesce(expected.amount, 0) <> coalesce(balance.balance, 0)`,
  },
  {
    name: "V10: who asked for an adjustment has not agreed to it; who decided was allowed to, and the entry says who it was",
    sql: `
      select id, outcome, requested_by, decided_by, null as entry_actor from billing.adjustment_standing
      where outcome is not null and not (needs_approval and case outcome
        when 'withdrawn' then decided_by = requested_by
        else decided_by <> requested_by
          and ${mayDecide}
      end)
      union all
      select adjustment.id, outcome, requested_by, decided_by, entry.actor
      from billing.adjustment_standing as adjustment
      join ledger.journal_entry as entry on (entry.kind, entry.cause_type, entry.cause_id)
        = (adjustment.entry_kind, adjustment.cause_type, adjustment.cause_id)
      where status = 'executed' and entry.actor <> adjustment.actor`,
  },
  {
    name: "V10: what one key gave to one customer or took from him within 24 hours was added up, whatever it was asked for as",
    sql: `
      select kind, id, requested_by, unapproved_before, coalesce(before.amount, 0) as expected
      from billing.money_request as request
      cross join lateral (
        select sum(amount) as amount from billing.money_request as earlier
        where (earlier.customer_id, earlier.requested_by) = (request.customer_id, request.requested_by)
          and not earlier.needs_approval and earlier.recorded_at < request.recorded_at
          and earlier.requested_at > request.requested_at - interval '24 hours'
      ) as before
      where unapproved_before <> coalesce(before.amount, 0)`,
  },
];
