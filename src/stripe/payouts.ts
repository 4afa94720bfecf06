import type { Stripe } from "stripe";
import { type Instant, instantOfEpochMs } from "../domain/calendar/index.ts";

/** A payout as Stripe holds it now. Its amount is in Stripe's minor units. */
export type PayoutAtStripe = {
  readonly id: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly isAutomatic: boolean;
  readonly createdAt: Instant;
  readonly arrivesAt: Instant;
  /** `pending`, `in_transit`, `paid`, `failed` or `canceled`. */
  readonly status: string;
  readonly failureCode: string | null;
};

export async function readPayout(stripe: Stripe, payoutId: string): Promise<PayoutAtStripe> {
  const payout = await stripe.payouts.retrieve(payoutId);
  return {
    id: payout.id,
    currency: payout.currency,
    amount: BigInt(payout.amount),
    isAutomatic: payout.automatic,
    createdAt: instantOfEpochMs(payout.created * 1000),
    arrivesAt: instantOfEpochMs(payout.arrival_date * 1000),
    status: payout.status,
    failureCode: payout.failure_code,
  };
}
