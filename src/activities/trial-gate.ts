import type { Tx } from "../db/database.ts";
import { claimTrial } from "../db/promotions/trial-claims.ts";
import type { Instant } from "../domain/calendar/index.ts";

/** A trial that is about to begin. */
export interface AskedTrial {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly planKey: string;
  /** Stripe's name for the card on file; null without a card. */
  readonly fingerprint: string | null;
  readonly at: Instant;
}

/**
 * Asked before each trial begins, in the transaction that opens the subscription: null lets it begin, a text says why not. Another
 * one stands in its place where {@link ActivityDependencies} names it; it may ask a service, and what it writes is there only when
 * the subscription is.
 */
export type TrialGate = (tx: Tx, trial: AskedTrial) => Promise<string | null>;

/** What holds where nothing else is named: one trial for a customer, and for a card, ever. */
export const oneTrialEach: TrialGate = async (tx, { subscriptionId, customerId, fingerprint, at }) =>
  (await claimTrial(tx, { subscriptionId, customerId, fingerprint, claimedAt: at }))
    ? null
    : "the customer, or the card, has had a trial already: subscribe without one";
