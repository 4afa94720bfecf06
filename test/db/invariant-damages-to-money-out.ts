import { type Damage, entry } from "./invariant-damages.ts";

/** The same for money that goes back, is taken back, and is paid out. */
const payment = "(select min(stripe_payment_intent_id) from billing.payment)";
const paidInvoice = `(select invoice_id from billing.payment where stripe_payment_intent_id = ${payment})`;

const dispute = (status: string, amount: number) => `
  insert into billing.invoice_dispute (stripe_dispute_id, invoice_id, customer_id, stripe_payment_intent_id, currency, amount_minor,
      reason, opened_at, status, is_open, withdrawn_minor, changed_at)
    values ('dp_1', ${paidInvoice}, 'acme', ${payment}, 'usd', ${amount}, 'fraudulent', '2026-02-10Z', '${status}', false, 0, now());`;

const refund = (amount: number, recordedAt: string) => `
  insert into billing.refund (id, credit_note_id, invoice_id, customer_id, stripe_payment_intent_id, currency, amount_minor,
      requested_at, recorded_at, changed_at)
    values ('rf_1', 'none', ${paidInvoice}, 'acme', ${payment}, 'usd', ${amount}, '2026-02-10Z', ${recordedAt}, now())`;

const moved = (state: string, importedAt: string) => `
  insert into stripe.balance_transaction
      (id, type, reporting_category, currency, amount, fee, net, created_at, available_on, imported_at, state)
    values ('txn_1', 'charge', 'charge', 'usd', 100, 0, 100, '2026-02-10Z', '2026-02-12Z', ${importedAt}, '${state}');`;

const change = ["subscription_change", "fewer seats"] as const;

export const damagesToMoneyOut: readonly Damage[] = [
  {
    what: "a refund of more than was paid",
    broken: "V7",
    rule: "no more goes back",
    sql: refund(99_999_999, "now()"),
  },
  {
    what: "a movement of Stripe's balance that is called booked and is not",
    broken: "V7",
    rule: "booked has moved 1000",
    sql: moved("booked", "now()"),
  },
  {
    what: "a dispute that is won, and money that is still disputed",
    broken: "V6",
    rule: "1120 is empty",
    sql:
      dispute("won", 100) +
      entry("proration_credited", change, ["1120/usd/customer=acme/dispute=dp_1", "5900/usd"]),
    triggersRun: true,
  },
  {
    what: "a payout that was canceled, and money on its way to our bank",
    broken: "V6",
    rule: "a payout that is over",
    sql: `
      insert into stripe.payout (id, currency, amount, is_automatic, created_at, arrives_at, status, changed_at)
        values ('po_1', 'usd', 100, true, '2026-02-10Z', '2026-02-12Z', 'canceled', now() - interval '30 days');
      ${entry("proration_credited", change, ["1030/usd", "5900/usd"], { metadata: { payout_id: "po_1" } })}`,
    triggersRun: true,
  },
  {
    what: "a movement of Stripe's balance that nobody has booked for a month",
    broken: "V12",
    rule: "every movement of Stripe's balance",
    sql: moved("waiting", "now() - interval '30 days'"),
  },
  {
    what: "a refund that was promised a month ago and never sent",
    broken: "V12",
    rule: "every refund is sent in time",
    sql: refund(1, "now() - interval '30 days'"),
  },
];
