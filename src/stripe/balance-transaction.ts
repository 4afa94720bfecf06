import type { Stripe } from "stripe";

/** A charge as it reached the Stripe balance. Whole amounts as Stripe counts the currency, as text. */
export type ChargeSettlement = {
  readonly balanceTransactionId: string;
  readonly currency: string;
  readonly gross: string;
  readonly fee: string;
};

/** Reads a charge's balance transaction; undefined while Stripe has not made it. */
export async function readSettlement(
  stripe: Stripe,
  stripeChargeId: string,
): Promise<ChargeSettlement | undefined> {
  const charge = await stripe.charges.retrieve(stripeChargeId, { expand: ["balance_transaction"] });
  const transaction = charge.balance_transaction;
  if (transaction === null || typeof transaction === "string") return undefined;
  return {
    balanceTransactionId: transaction.id,
    currency: transaction.currency,
    gross: String(transaction.amount),
    fee: String(transaction.fee),
  };
}
