import type { Stripe } from "stripe";
import type { Instant } from "../domain/calendar/index.ts";
import { amountToCollect, stripeAmount } from "./amounts.ts";
import { StripeCallError } from "./errors.ts";
import { idOf } from "./expanded-id.ts";
import { type OperationLog, recordedCall } from "./operations.ts";

/** A credit note of ours, for Stripe's copy of its invoice. Amounts are whole minor units of ours, as decimal text. */
export type CreditNoteToMirror = {
  readonly creditNoteId: string;
  readonly number: string;
  readonly stripeInvoiceId: string;
  readonly currency: string;
  /** What was due before it, and after it. */
  readonly dueBeforeMinor: string;
  readonly dueAfterMinor: string;
  /** What it gives back of what was paid. */
  readonly givenBackMinor: string;
  /** What of that is on its way by these refunds; all else is settled between us and the customer. */
  readonly refunds: readonly { readonly stripeRefundId: string; readonly amountMinor: string }[];
  readonly at: Instant;
};

/** A credit note as Stripe holds it. */
export type CreditNoteAtStripe = {
  readonly stripeCreditNoteId: string;
  readonly stripeInvoiceId: string;
  /** Ours, when the note is one of ours. */
  readonly creditNoteId: string | null;
  readonly amount: number;
};

type Mirrored = { readonly stripeCreditNoteId: string | null };

/**
 * Says a credit note of ours at Stripe, once: what was due becomes less there too, and of what was paid it is said where it went.
 * Nothing is put into Stripe's own customer balance: balances are ours. Where somebody has paid the copy in the meantime, the note
 * says that what was due went back outside of Stripe: the payment's surplus is the customer's balance here.
 * @returns null for the id where Stripe counts too coarsely to be told
 */
export async function mirrorCreditNote(
  stripe: Stripe,
  log: OperationLog,
  note: CreditNoteToMirror,
): Promise<Mirrored> {
  const lowers = lowersAtStripe(note);
  const refunds = note.refunds.map(({ stripeRefundId, amountMinor }) => ({
    refund: stripeRefundId,
    amount_refunded: stripeAmount(amountMinor, note.currency),
  }));
  const givenBack = stripeAmount(note.givenBackMinor, note.currency, "down");
  const otherwise = givenBack - refunds.reduce((sum, each) => sum + each.amount_refunded, 0);
  const said = { amount: lowers + givenBack, refunds, outOfBand: otherwise };
  if (said.amount === 0) return { stripeCreditNoteId: null };
  try {
    return await create(stripe, log, note, `credit-note/${note.creditNoteId}`, said);
  } catch (error) {
    const isRefusal = error instanceof StripeCallError && error.failure.kind === "invalid_request";
    if (!isRefusal || lowers === 0) throw error;
    const { status } = await stripe.invoices.retrieve(note.stripeInvoiceId);
    if (status !== "paid") throw error;
    const paid = { ...said, outOfBand: otherwise + lowers };
    return await create(stripe, log, note, `credit-note/${note.creditNoteId}/paid`, paid);
  }
}

/** What is collected is rounded up, so what a note takes off is the difference of two such amounts. */
function lowersAtStripe({ dueBeforeMinor, dueAfterMinor, currency }: CreditNoteToMirror): number {
  return amountToCollect(dueBeforeMinor, currency) - amountToCollect(dueAfterMinor, currency);
}

interface Said {
  readonly amount: number;
  readonly refunds: { readonly refund: string; readonly amount_refunded: number }[];
  readonly outOfBand: number;
}

async function create(
  stripe: Stripe,
  log: OperationLog,
  { creditNoteId, number, stripeInvoiceId, at }: CreditNoteToMirror,
  key: string,
  { amount, refunds, outOfBand }: Said,
): Promise<Mirrored> {
  const body: Stripe.CreditNoteCreateParams = {
    invoice: stripeInvoiceId,
    amount,
    ...(refunds.length > 0 && { refunds }),
    ...(outOfBand > 0 && { out_of_band_amount: outOfBand }),
    memo: `Credit note ${number}`,
    metadata: { reckoner_credit_note: creditNoteId },
  };
  return await recordedCall<Mirrored>({
    log,
    key,
    operation: "POST /v1/credit_notes",
    body,
    at,
    send: async (options) => ({ stripeCreditNoteId: (await stripe.creditNotes.create(body, options)).id }),
    find: async () => {
      for await (const found of stripe.creditNotes.list({ invoice: stripeInvoiceId, limit: 100 })) {
        if (found.metadata?.reckoner_credit_note === creditNoteId) return { stripeCreditNoteId: found.id };
      }
      return undefined;
    },
  });
}

export async function readCreditNote(
  stripe: Stripe,
  stripeCreditNoteId: string,
): Promise<CreditNoteAtStripe> {
  const note = await stripe.creditNotes.retrieve(stripeCreditNoteId);
  return {
    stripeCreditNoteId: note.id,
    stripeInvoiceId: idOf(note.invoice),
    creditNoteId: note.metadata?.reckoner_credit_note ?? null,
    amount: note.amount,
  };
}
