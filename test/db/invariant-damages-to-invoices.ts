import type { Damage } from "./invariant-damages.ts";

const paid = "select * from billing.invoice where status = 'paid' and total_minor > 100 order by id limit 1";

/** A note of one cent of a paid invoice, as it would be written by hand. */
const note = (amountMinor: number, lowersDueMinor = 0) => `
  insert into billing.credit_note_request
  select 'by-hand', id, customer_id, currency, ${amountMinor}, 'other', 'x', 'eve', issued_at, now(), 100, 0 from (${paid}) as invoice;
  insert into billing.credit_note_line
  select 'by-hand', invoice.id, line.line, ${amountMinor} from (${paid}) as invoice
  join billing.invoice_line as line on line.invoice_id = invoice.id where line.amount_minor > 100 order by line.line limit 1;
  insert into billing.credit_note
  select 'by-hand', 'HAND-CN-0001', ${lowersDueMinor}, ${amountMinor - lowersDueMinor}, null, 'eve', issued_at from (${paid}) as invoice;`;

/** The same for numbers of invoices and for credit notes. */
export const damagesToInvoices: readonly Damage[] = [
  {
    what: "a number that was skipped",
    broken: "V8",
    rule: "without gaps",
    sql: "update billing.invoice set number = 'ACME-0099' where number = 'ACME-0002'",
  },
  {
    what: "an invoice without the tax that was given for it",
    broken: "V8",
    rule: "what was given for it",
    sql: `
      insert into billing.tax_given (id, customer_id, quote, currency, lines, tax_minor, given_by, given_at)
      select 'by-hand', customer_id, repeat('0', 24), currency, '[{"amountMinor": "100"}]', 100, 'eve', issued_at from (${paid}) as invoice;
      insert into billing.invoice_tax select id, 'by-hand', 'before_credits' from (${paid}) as invoice`,
  },
  {
    what: "an invoice whose customer's tax is reckoned outside, without it",
    broken: "V8",
    rule: "issued without it",
    sql: `
      insert into billing.tax_choice (customer_id, request_id, handling, basis, applies_at, chosen_by, chosen_at)
      select customer_id, 'by-hand', 'external', 'before_credits', issued_at - interval '1 day', 'eve', issued_at - interval '1 day'
      from (${paid}) as invoice`,
  },
  {
    what: "an invoice of a subscription that it does not close a period of",
    broken: "V8",
    rule: "an invoice is for its parts",
    sql: `update billing.invoice_part set period_start = period_start - interval '1 day'
      where invoice_id = (select id from billing.invoice where kind = 'cycle' order by id limit 1)`,
  },
  {
    what: "an invoice that is due less without a credit note",
    broken: "V8",
    rule: "lowered by its credit notes",
    sql: `update billing.invoice set credited_minor = 1 where id = (select id from (${paid}) as invoice)`,
  },
  {
    what: "a credit note that was never booked",
    broken: "V4",
    rule: "has its entry",
    sql: note(1),
  },
];
