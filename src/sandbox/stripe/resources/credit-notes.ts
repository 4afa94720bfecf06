import { createdWithin, page } from "../http/lists.ts";
import { badParameter, missingParameter, refused } from "../http/refusal.ts";
import { type Call, listParameters, pathId, type Reply, type Route } from "../http/route.ts";
import { creditable, lowerDue, type PaidShares } from "../payments/credit-notes.ts";
import { createRefund } from "../payments/refunds.ts";
import { paymentOf } from "../payments/settle-invoice.ts";
import { integer, mergedMetadata, objects, requiredText, text } from "../schema/access.ts";
import type { Params } from "../schema/reader.ts";
import type { CreditNote, Invoice } from "../state/objects.ts";
import { moveBalance } from "./customer-balance.ts";
import { emit } from "./emit.ts";
import { render } from "./render.ts";

export const creditNoteRoutes: readonly Route[] = [
  {
    operation: "POST /v1/credit_notes",
    honours: [
      "invoice",
      "amount",
      "credit_amount",
      "out_of_band_amount",
      "refund_amount",
      "refunds.refund",
      "refunds.amount_refunded",
      "memo",
      "reason",
      "metadata",
    ],
    handle: create,
  },
  {
    operation: "GET /v1/credit_notes",
    honours: [...listParameters, "created", "customer", "invoice"],
    handle: listAll,
  },
  { operation: "GET /v1/credit_notes/{id}", honours: [], handle: retrieve },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  const invoice = tx.get("invoice", requiredText(params, "invoice"), "invoice");
  if (invoice.status !== "open" && invoice.status !== "paid") {
    throw refused(
      `Credit notes can only be issued for open and paid invoices; this one is ${invoice.status}.`,
    );
  }
  const amount = integer(params, "amount");
  if (amount === undefined) throw missingParameter("amount");
  if (amount < 1) throw badParameter("Invalid positive integer", "amount", "parameter_invalid_integer");
  const left = creditable(invoice);
  if (amount > left.total) {
    const message = `The credit note amount (${amount}) is more than can be credited of the invoice (${left.total}).`;
    throw refused(message, "credit_note_amount_too_large", "amount");
  }
  const before = Math.min(amount, invoice.amount_remaining);
  const after = amount - before;
  const shares = sharesOf(params);
  requireWhole(shares, after);
  const note = put(call, invoice, { amount, before, after, shares });
  lowerDue(call, invoice, { before, after });
  emit(call, "credit_note.created", note);
  return render(tx, note);
}

function sharesOf(params: Params): PaidShares {
  return {
    refunds: objects(params, "refunds").map((each) => ({
      refund: requiredText(each, "refund"),
      amount_refunded: integer(each, "amount_refunded") ?? 0,
    })),
    refund: integer(params, "refund_amount") ?? 0,
    credit: integer(params, "credit_amount") ?? 0,
    outOfBand: integer(params, "out_of_band_amount") ?? 0,
  };
}

/** Of what was paid already it has to be said where it goes, to the cent. */
function requireWhole({ refunds, refund, credit, outOfBand }: PaidShares, after: number): void {
  const said = refunds.reduce((sum, each) => sum + each.amount_refunded, refund + credit + outOfBand);
  if (said === after) return;
  const message =
    `The sum of credit_amount, refund_amount, refunds and out_of_band_amount (${said}) must equal the ` +
    `post-payment credit note amount (${after}).`;
  throw refused(message, "invalid_credit_note_amount", "amount");
}

type Whole = {
  readonly amount: number;
  readonly before: number;
  readonly after: number;
  readonly shares: PaidShares;
};

function put(call: Call, invoice: Invoice, { amount, before, after, shares }: Whole): CreditNote {
  const { tx, params } = call;
  const { currency, customer } = invoice;
  const id = tx.newId("cn");
  const place = tx.list("credit_note", { field: "invoice", value: invoice.id }).length + 1;
  const moved =
    shares.credit === 0
      ? undefined
      : moveBalance(tx, tx.get("customer", customer), {
          amount: -shares.credit,
          currency,
          type: "credit_note",
          invoice: invoice.id,
        });
  return tx.put({
    id,
    object: "credit_note",
    created: tx.now,
    livemode: false,
    amount,
    currency,
    customer,
    invoice: invoice.id,
    memo: text(params, "memo") ?? null,
    reason: text(params, "reason") ?? null,
    number: `${invoice.number ?? invoice.id}-CN-${String(place).padStart(2, "0")}`,
    pdf: `${call.baseUrl}/credit-note/${id}/pdf`,
    pre_payment_amount: before,
    post_payment_amount: after,
    out_of_band_amount: shares.outOfBand === 0 ? null : shares.outOfBand,
    customer_balance_transaction: moved?.id ?? null,
    refunds: [...refundsNamed(call, shares), ...refundMade(call, invoice, shares.refund)],
    status: "issued",
    type: before === 0 ? "post_payment" : after === 0 ? "pre_payment" : "mixed",
    metadata: mergedMetadata(params),
  });
}

function refundsNamed({ tx }: Call, { refunds }: PaidShares): PaidShares["refunds"] {
  for (const { refund, amount_refunded: amount } of refunds) {
    const found = tx.get("refund", refund, "refunds[0][refund]");
    if (amount < 1 || amount > found.amount) {
      throw badParameter(`Refund ${refund} is of ${found.amount}.`, "refunds[0][amount_refunded]");
    }
  }
  return refunds;
}

/** `refund_amount` makes a refund of the invoice's payment. */
function refundMade(call: Call, invoice: Invoice, amount: number): PaidShares["refunds"] {
  if (amount === 0) return [];
  const intent = call.tx.find("payment_intent", paymentOf(call.tx, invoice.id)?.payment_intent ?? "");
  const charge = call.tx.find("charge", intent?.latest_charge ?? "");
  if (charge?.status !== "succeeded")
    throw refused("The invoice was not paid with a charge that can be refunded.");
  const made = createRefund(call, charge, { amount, reason: null, metadata: {} });
  return [{ refund: made.id, amount_refunded: amount }];
}

function retrieve(call: Call): Reply {
  return render(call.tx, call.tx.get("credit_note", pathId(call, "id")));
}

function listAll({ tx, params }: Call): Reply {
  const customer = text(params, "customer");
  const invoice = text(params, "invoice");
  const isWithin = createdWithin(params);
  const rows = tx
    .list("credit_note")
    .filter(
      (row) =>
        isWithin(row) &&
        (customer === undefined || row.customer === customer) &&
        (invoice === undefined || row.invoice === invoice),
    );
  return page(params, "/v1/credit_notes", rows, (row) => render(tx, row));
}
