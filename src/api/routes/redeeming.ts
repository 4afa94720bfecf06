import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { StoredCustomer } from "../../db/billing/customers.ts";
import { findAdjustment } from "../../db/ledger/adjustments.ts";
import type { StoredCoupon } from "../../db/promotions/coupons.ts";
import { findRedemption, insertRedemption } from "../../db/promotions/redemptions.ts";
import { type Instant, instantOfEpochMs, isoOf } from "../../domain/calendar/index.ts";
import { currency, ledgerAmountOfMoney, money } from "../../domain/money/index.ts";
import { isRedemptionRefusal } from "../../domain/promotions/index.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { contextOf } from "../observation.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { instantText } from "../wire.ts";
import { answerForGrant, creditGrantSchema } from "./credit-schemas.ts";
import { actorText } from "./decisions-wire.ts";

export type RedeemingDependencies = Pick<ApiDependencies, "db" | "now" | "adjustments">;

export const redemptionSchema = z
  .object({
    id: z.string(),
    coupon: z.string(),
    customer: z.string(),
    adjustment: z.string().describe("What gives the credit; above the limit it waits for somebody else."),
    credit_grant: creditGrantSchema.nullable().describe("Null until the adjustment is approved."),
    referral: z.string().nullable(),
    redeemed_by: actorText,
    redeemed_at: instantText,
  })
  .meta({ id: "Redemption" });

export const redemptionRefusalCodes = [
  "coupon_not_in_force",
  "coupon_redeemed_already",
  "coupon_not_stackable",
  "coupon_plan_missing",
  "coupon_currency_differs",
  "coupon_used_up",
  "campaign_budget_spent",
];

interface ToRedeem {
  /** Made from the fact that it is redeemed for: the same again is the same redemption. */
  readonly id: string;
  readonly coupon: StoredCoupon;
  readonly customer: StoredCustomer;
  readonly referralId?: string;
}

const dayMs = 86_400_000;

/**
 * Redeems a coupon: its credit is an adjustment, with which it is written down, or neither is.
 * @throws RedemptionRefusedError
 */
export async function redeem(
  request: FastifyRequest,
  deps: RedeemingDependencies,
  { id, coupon, customer, referralId }: ToRedeem,
): Promise<z.infer<typeof redemptionSchema>> {
  if (coupon.currency !== customer.currency) {
    const message = `the coupon is in ${coupon.currency}, and the customer pays in ${customer.currency}`;
    throw new RequestRefusedError("coupon_currency_differs", message, "code");
  }
  const { id: couponId, amountMinor, priority, scope, expiresAfterDays: days } = coupon;
  const [customerId, adjustmentId] = [customer.id, `adj-${id}`];
  const expiresAt =
    days === null ? null : instantOfEpochMs((await timeOfCustomer(deps, customerId)) + days * dayMs);
  const context = contextOf(request);
  const redeemed = { id, couponId, customerId, adjustmentId, referralId: referralId ?? null };
  await deps.adjustments.request(
    {
      id: adjustmentId,
      customerId,
      currency: currency(coupon.currency),
      correction: {
        kind: "grant_credit",
        grantKind: "promotional",
        change: ledgerAmountOfMoney(money(amountMinor, coupon.currency)),
        grantId: `crg-${id}`,
        priority,
        expiresAt,
        ...(scope === null ? {} : { scope }),
      },
      reasonCode: "promotion",
      reason: coupon.name,
      alongside: (tx, redeemedAt: Instant) =>
        insertRedemption(tx, { ...redeemed, redeemedBy: context.actor, redeemedAt }),
    },
    context,
  );
  return await redemptionAnswer(deps, id);
}

/** The same where nobody waits for an answer: what cannot be redeemed is left out. */
export async function redeemIfPossible(
  request: FastifyRequest,
  deps: RedeemingDependencies,
  toRedeem: ToRedeem,
): Promise<z.infer<typeof redemptionSchema> | null> {
  try {
    return await redeem(request, deps, toRedeem);
  } catch (error) {
    if (error instanceof Error && "code" in error && isRedemptionRefusal(String(error.code))) return null;
    throw error;
  }
}

export async function redemptionAnswer(
  deps: Pick<ApiDependencies, "db" | "now">,
  id: string,
): Promise<z.infer<typeof redemptionSchema>> {
  const { orm } = deps.db;
  const stored = found(await findRedemption(orm, id), "redemption", id);
  const given = await findAdjustment(orm, stored.adjustmentId);
  const grantId = given?.status === "executed" ? given.grantId : null;
  return {
    id,
    coupon: stored.couponId,
    customer: stored.customerId,
    adjustment: stored.adjustmentId,
    credit_grant: grantId === null ? null : await answerForGrant(grantId, deps),
    referral: stored.referralId,
    redeemed_by: stored.redeemedBy,
    redeemed_at: isoOf(stored.redeemedAt),
  };
}
