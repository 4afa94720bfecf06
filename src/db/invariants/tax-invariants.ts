import { type InvariantQuery, inLedgerUnits, sides } from "./invariant-query.ts";

/** Tax is passed through as it was given, owed to whose it is, and never left out where it is wanted. */
export const taxInvariants: readonly InvariantQuery[] = [
  {
    name: "V8: the tax on an invoice is what was given for it, line by line",
    sql: `
      select invoice.id, invoice.tax_minor, given.id as given, given.lines as given_lines, said.lines
      from billing.invoice as invoice
      left join billing.invoice_tax as tax on tax.invoice_id = invoice.id
      left join billing.tax_given as given on given.id = tax.given_id
      cross join lateral (
        select coalesce(sum(amount_minor), 0) as tax_minor, coalesce(jsonb_agg(jsonb_build_object(
          'description', description, 'jurisdiction', detail -> 'jurisdiction', 'rate', detail -> 'rate',
          'taxableMinor', detail -> 'taxableMinor', 'amountMinor', amount_minor::text,
          'lines', coalesce(detail -> 'lines', 'null')) order by line), '[]') as lines
        from billing.invoice_line where invoice_id = invoice.id and kind = 'tax'
      ) as said
      where said.tax_minor <> invoice.tax_minor or said.lines <> coalesce(given.lines, '[]')
        or given.currency <> invoice.currency`,
  },
  {
    name: "V8: the tax on an invoice is what it added to 2300",
    sql: `
      select invoice.id, tax_minor, booked.owed
      from billing.invoice as invoice
      left join (
        select metadata ->> 'invoice_id' as id, -sum(amount) as owed from (${sides}) as side
        where kind = 'invoice_issued' and code = '2300' group by 1
      ) as booked using (id)
      where coalesce(booked.owed, 0) <> ${inLedgerUnits("tax_minor")}`,
  },
  {
    name: "V8: no invoice of a customer whose tax is reckoned outside is issued without it",
    sql: `
      select invoice.id, invoice.customer_id, invoice.issued_at
      from billing.invoice as invoice
      cross join lateral (
        select handling, basis from billing.tax_choice
        where customer_id = invoice.customer_id and applies_at < invoice.issued_at order by number desc limit 1
      ) as choice
      where choice.handling = 'external' and choice.basis = 'before_credits'
        and not exists (select from billing.invoice_tax where invoice_id = invoice.id)
        and exists (
          select from billing.invoice_line as line where line.invoice_id = invoice.id and amount_minor <> 0
            and kind not in ('tax', 'carried_forward', 'carried_over'))`,
  },
];
