import { findRefund, moveRefund, type RefundState } from "../db/billing/refunds.ts";
import { invariant } from "../domain/errors.ts";
import { StripeCallError } from "../stripe/index.ts";
import type { ClockReading } from "../workflows/messages.ts";
import { customerClock } from "./customer-clock.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { refuseRefund, settleRefund } from "./refund-settle.ts";

/**
 * Sends a refund that was written down to Stripe, once, however often it is asked, and books what Stripe says of it. What
 * Stripe refuses for good, such as a refund of a payment that the bank has taken back, has failed.
 */
export async function sendRefund(
  deps: ActivityDependencies,
  { refundId }: { readonly refundId: string },
): Promise<{ readonly state: RefundState }> {
  const refund = await findRefund(deps.db.orm, refundId);
  invariant(refund, `refund ${refundId} was written down before a run was told of it`);
  if (refund.state !== "requested") return { state: refund.state };
  const { id, invoiceId, stripePaymentIntentId, currency } = refund;
  const amountMinor = refund.amountMinor.toString();
  try {
    const { stripeRefundId } = await deps.rail.sendRefund({
      refundId: id,
      invoiceId,
      stripePaymentIntentId,
      amountMinor,
      currency,
      at: deps.now(),
    });
    const settled = await settleRefund(deps, stripeRefundId);
    invariant(settled, `refund ${id} is ours`);
    return { state: settled.state };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    const { at } = await customerClock(deps, refund.customerId);
    return { state: await refuseRefund(deps, refund, refusal, { at, changedAt: deps.now() }) };
  }
}

/** Why Stripe will never do it; undefined when it may yet. */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof StripeCallError) || error.failure.kind !== "invalid_request") return undefined;
  return error.failure.code;
}

/** Begins the runs that send refunds; begun again, each is one. */
export async function startRefunds(
  { db, gateway }: Pick<ActivityDependencies, "db" | "gateway">,
  { refunds, clock }: { readonly refunds: readonly string[]; readonly clock: ClockReading | null },
): Promise<void> {
  for (const id of refunds) {
    const refund = await findRefund(db.orm, id);
    invariant(refund, `refund ${id} was written down before a run was told of it`);
    const { customerId, invoiceId } = refund;
    await gateway.startRefund({ refundId: id, customerId, invoiceId, clock });
  }
}

/** Asks again about a refund that is under way, or has its run begun anew when it was never sent. */
export async function followRefund(
  deps: ActivityDependencies,
  refund: {
    readonly id: string;
    readonly customerId: string;
    readonly invoiceId: string;
    readonly stripeRefundId: string | null;
  },
): Promise<void> {
  if (refund.stripeRefundId !== null) {
    await settleRefund(deps, refund.stripeRefundId);
    return;
  }
  await moveRefund(deps.db.orm, refund.id, { changedAt: deps.now() });
  const { reading: clock } = await customerClock(deps, refund.customerId);
  const { id: refundId, customerId, invoiceId } = refund;
  await deps.gateway.startRefund({ refundId, customerId, invoiceId, clock });
}
