import {
  findRefund,
  findRefundAtStripe,
  moveRefund,
  type RefundState,
  type StoredRefund,
} from "../db/billing/refunds.ts";
import { lockCustomer } from "../db/billing/subscriptions.ts";
import { inTransaction, type Tx } from "../db/database.ts";
import { tellRefundFailed } from "../db/notices/notices-of-facts.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import { refundStepTo } from "../domain/invoicing/index.ts";
import { refundFailed, refundSucceeded } from "../domain/ledger/index.ts";
import { currency, money } from "../domain/money/index.ts";
import type { RefundAtStripe } from "../stripe/index.ts";
import { customerClock } from "./customer-clock.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { book } from "./issue-invoice.ts";

/**
 * Reads a refund at Stripe and books what has become of it, whoever asks and in whatever order events told of it: it has
 * reached the customer, or it has not, even after it had. Not ours: somebody made it in Stripe's dashboard.
 */
export async function settleRefund(
  deps: ActivityDependencies,
  stripeRefundId: string,
): Promise<StoredRefund | undefined> {
  const said = await deps.rail.retrieveRefund(stripeRefundId);
  // An event may come before our own call's answer: then it is known by the name that we gave it.
  const known =
    (await findRefundAtStripe(deps.db.orm, stripeRefundId)) ??
    (said.refundId === null ? undefined : await findRefund(deps.db.orm, said.refundId));
  if (known === undefined) return undefined;
  const { at } = await customerClock(deps, known.customerId);
  return await inTransaction(deps.db, (tx) => advance(tx, known, said, { at, changedAt: deps.now() }));
}

interface Times {
  readonly at: Instant;
  readonly changedAt: Instant;
}

async function advance(
  tx: Tx,
  known: StoredRefund,
  said: RefundAtStripe,
  { at, changedAt }: Times,
): Promise<StoredRefund> {
  const refund = await lockedRefund(tx, known);
  const { stripeRefundId } = said;
  const state = refundStepTo(refund.state, said.status);
  if (state === null) {
    await moveRefund(tx, refund.id, { changedAt });
    return refund;
  }
  // A refund of which we first hear that it failed has gone out before: Stripe took the money, and gave it back.
  if (state === "succeeded") await bookSuccess(tx, refund, at);
  if (state === "failed" || state === "canceled") await bookFailure(tx, refund, at);
  const failureCode = state === "failed" ? (said.failureReason ?? "unknown") : null;
  await moveRefund(tx, refund.id, { state, stripeRefundId, failureCode, changedAt });
  return { ...refund, state, stripeRefundId, failureCode, changedAt };
}

/** Stripe refused it for good: nothing has left, and the money stays the customer's, as their balance. */
export async function refuseRefund(
  { db }: ActivityDependencies,
  known: StoredRefund,
  failureCode: string,
  { at, changedAt }: Times,
): Promise<RefundState> {
  return await inTransaction(db, async (tx) => {
    const refund = await lockedRefund(tx, known);
    if (refund.state !== "requested") return refund.state;
    await bookFailure(tx, refund, at);
    await moveRefund(tx, refund.id, { state: "failed", failureCode, changedAt });
    return "failed";
  });
}

async function lockedRefund(tx: Tx, known: StoredRefund): Promise<StoredRefund> {
  await lockCustomer(tx, known.customerId);
  const refund = await findRefund(tx, known.id);
  invariant(refund, `refund ${known.id} exists`);
  return refund;
}

async function bookSuccess(tx: Tx, refund: StoredRefund, at: Instant): Promise<void> {
  await book(tx, [refundSucceeded(factsOf(refund, "succeeded", at))]);
}

async function bookFailure(tx: Tx, refund: StoredRefund, at: Instant): Promise<void> {
  const after = refund.state === "succeeded" ? "succeeded" : "requested";
  await book(tx, [refundFailed({ ...factsOf(refund, "failed", at), after })]);
  await tellRefundFailed(tx, refund, at);
}

/** What every entry of a refund says. */
function factsOf(refund: StoredRefund, step: "succeeded" | "failed", at: Instant) {
  return {
    sourceKey: `refund/${refund.id}/${step}`,
    customerId: refund.customerId,
    currency: currency(refund.currency),
    occurredAt: at,
    effectiveAt: at,
    refundId: refund.id,
    paymentId: refund.stripePaymentIntentId,
    amount: money(refund.amountMinor, refund.currency),
  };
}
