import { z } from "zod";
import { findCustomer, type StoredCustomer } from "../../db/billing/customers.ts";
import { couponsGivenOn, findCouponByCode } from "../../db/promotions/coupons.ts";
import { keepReferral, redemptionsOfCustomer, type StoredReferral } from "../../db/promotions/redemptions.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import { timeOfCustomer } from "../customer-time.ts";
import { newId } from "../idempotency.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idInput, idParams, instantText, textInput } from "../wire.ts";
import {
  type RedeemingDependencies,
  redeem,
  redeemIfPossible,
  redemptionAnswer,
  redemptionRefusalCodes,
  redemptionSchema,
} from "./redeeming.ts";

const referralSchema = z
  .object({
    id: z.string(),
    referrer: z.string(),
    referred: z.string(),
    referred_at: instantText,
    redemptions: z.array(redemptionSchema).describe("What both sides were given for it."),
  })
  .meta({ id: "Referral" });

const tags = ["Promotions"];

/** Coupons that customers redeem, or are given for bringing others. */
export function redemptionRoutes(api: ApiInstance, deps: RedeemingDependencies): void {
  redeemCode(api, deps);
  listRedeemed(api, deps);
  postReferral(api, deps);
}

function redeemCode(api: ApiInstance, deps: RedeemingDependencies): void {
  api.post(
    "/v1/customers/:id/redemptions",
    {
      config: {
        scope: "write",
        refusals: ["customer_not_found", "coupon_not_found", ...redemptionRefusalCodes],
      },
      schema: {
        tags,
        summary: "Redeem a coupon by its code",
        description:
          "Its credit is given in the same transaction, within the limits of the coupon and the budget of its campaign, whoever redeems it at the same time.",
        params: idParams,
        body: z.strictObject({ code: textInput(40).describe("In capitals or not.") }),
        response: { 201: redemptionSchema },
      },
    },
    async (request, reply) => {
      const { id: customerId } = request.params;
      const { code } = request.body;
      const customer = found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
      const coupon = found(await findCouponByCode(deps.db.orm, code), "coupon", code);
      return reply
        .code(201)
        .send(await redeem(request, deps, { id: newId(request, "red"), coupon, customer }));
    },
  );
}

function listRedeemed(api: ApiInstance, deps: RedeemingDependencies): void {
  api.get(
    "/v1/customers/:id/redemptions",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "What a customer has redeemed, the newest first",
        params: idParams,
        response: { 200: z.object({ data: z.array(redemptionSchema) }) },
      },
    },
    async ({ params: { id } }) => {
      found(await findCustomer(deps.db.orm, id), "customer", id);
      const redeemed = await redemptionsOfCustomer(deps.db.orm, id);
      return { data: await Promise.all(redeemed.map((each) => redemptionAnswer(deps, each.id))) };
    },
  );
}

function postReferral(api: ApiInstance, deps: RedeemingDependencies): void {
  api.post(
    "/v1/referrals",
    {
      config: { scope: "write", refusals: ["customer_not_found", "referral_exists", "referral_invalid"] },
      schema: {
        tags,
        summary: "Say who brought a customer",
        description:
          "Both sides are given the coupons that are given on `referral`, as far as their limits and budgets let them. A customer is brought once.",
        body: z.strictObject({ referrer: idInput, referred: idInput }),
        response: { 201: referralSchema },
      },
    },
    async (request, reply) => {
      const { referrer: referrerId, referred: referredId } = request.body;
      const { orm } = deps.db;
      const referrer = found(await findCustomer(orm, referrerId), "customer", referrerId);
      const referred = found(await findCustomer(orm, referredId), "customer", referredId);
      if (referrerId === referredId) {
        throw new RequestRefusedError("referral_invalid", "nobody brings himself", "referred");
      }
      const wanted: StoredReferral = {
        id: newId(request, "ref"),
        ...{ referrerId, referredId, writtenBy: callerOf(request).actor },
        referredAt: await timeOfCustomer(deps, referredId),
      };
      const stored = found(await keepReferral(orm, wanted), "referral", wanted.id);
      if (stored.referrerId !== referrerId) {
        const message = `${referredId} was brought by somebody else already`;
        throw new RequestRefusedError("referral_exists", message, "referred");
      }
      const redemptions = await Promise.all([
        giveTo(request, deps, stored.id, "referrer", referrer),
        giveTo(request, deps, stored.id, "referred", referred),
      ]);
      return reply.code(201).send({
        ...{ id: stored.id, referrer: referrerId, referred: referredId },
        referred_at: isoOf(stored.referredAt),
        redemptions: redemptions.flat(),
      });
    },
  );
}

/** Each coupon once for a side of a referral: said again, it is the same redemption. */
async function giveTo(
  request: Parameters<typeof redeem>[0],
  deps: RedeemingDependencies,
  referralId: string,
  side: "referrer" | "referred",
  customer: StoredCustomer,
) {
  const given = [];
  for (const coupon of await couponsGivenOn(deps.db.orm, "referral", customer.currency)) {
    const id = `${referralId}.${side}.${coupon.id}`;
    const redeemed = await redeemIfPossible(request, deps, { id, coupon, customer, referralId });
    if (redeemed !== null) given.push(redeemed);
  }
  return given;
}

/** What every new customer is given, once; a customer who is created again has it already. */
export async function giveOnSignUp(
  request: Parameters<typeof redeem>[0],
  deps: RedeemingDependencies,
  customer: StoredCustomer,
): Promise<StoredCustomer> {
  for (const coupon of await couponsGivenOn(deps.db.orm, "sign_up", customer.currency)) {
    // Who was there before the coupon has not signed up for it.
    if (customer.createdAt < coupon.startsAt) continue;
    await redeemIfPossible(request, deps, { id: `sign-up.${coupon.id}.${customer.id}`, coupon, customer });
  }
  return customer;
}
