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
  return settlementOf(charge) ?? undefined;
}

/** Of a charge that was read with its balance transaction; null while Stripe has not made it. */
export function settlementOf({
  balance_transaction: transaction,
}: Pick<Stripe.Charge, "balance_transaction">): ChargeSettlement | null {
  if (transaction === null || typeof transaction === "string") return null;
  return {
    balanceTransactionId: transaction.id,
    currency: transaction.currency,
    gross: String(transaction.amount),
    fee: String(transaction.fee),
  };
}
