import type { z } from "zod";
import { findCampaign } from "../../db/promotions/campaigns.ts";
import {
  endCoupon,
  findCoupon,
  insertCoupon,
  listCoupons,
  type StoredCoupon,
} from "../../db/promotions/coupons.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idParams, isoOrNull } from "../wire.ts";
import { couponInput, couponSchema } from "./coupon-schemas.ts";
import { scopeAnswer, scopeOf } from "./credit-scope.ts";

type CouponDependencies = Pick<ApiDependencies, "db" | "now">;

const tags = ["Promotions"];

/** What is given away, and within which limits. */
export function couponRoutes(api: ApiInstance, deps: CouponDependencies): void {
  createCoupon(api, deps);
  readCoupons(api, deps);
  postEnd(api, deps);
}

function createCoupon(api: ApiInstance, deps: CouponDependencies): void {
  api.post(
    "/v1/coupons",
    {
      config: {
        scope: "write",
        refusals: [
          "campaign_not_found",
          "campaign_currency_differs",
          "coupon_code_invalid",
          "coupon_code_taken",
          "coupon_times_invalid",
          "credit_scope_unknown",
        ],
      },
      schema: {
        tags,
        summary: "Make a coupon that gives credit",
        description: "It is never changed: end it, and make another.",
        body: couponInput,
        response: { 201: couponSchema },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const { orm } = deps.db;
      const createdAt = deps.now();
      const startsAt = body.starts_at ?? createdAt;
      const endsAt = body.ends_at ?? null;
      requireSound(body, endsAt !== null && endsAt <= startsAt);
      await requireCampaign(deps, body);
      const id = newId(request, "cpn");
      const { given_on: givenOn, code = null, name, priority, plans = null, stacking, currency } = body;
      const isNew = await insertCoupon(orm, {
        ...{ id, givenOn, code, name, priority, plans, stacking, currency, startsAt, endsAt, createdAt },
        campaignId: body.campaign ?? null,
        amountMinor: body.amount_minor,
        expiresAfterDays: body.expires_after_days,
        scope: (await scopeOf(orm, body.scope)) ?? null,
        redemptionsMax: body.redemptions_max,
        perCustomerMax: body.per_customer_max,
        createdBy: callerOf(request).actor,
      });
      const stored = await findCoupon(orm, id);
      if (!isNew && stored === undefined) {
        throw new RequestRefusedError("coupon_code_taken", `there is a coupon "${code}" already`, "code");
      }
      return reply.code(201).send(couponAnswer(found(stored, "coupon", id)));
    },
  );
}

function requireSound(
  { given_on: givenOn, code }: z.output<typeof couponInput>,
  isOverBefore: boolean,
): void {
  if ((code === undefined) === (givenOn === "code")) {
    const message =
      "is typed in where the coupon is given on `code`, and left out where it is given by itself";
    throw new RequestRefusedError("coupon_code_invalid", message, "code");
  }
  if (isOverBefore)
    throw new RequestRefusedError("coupon_times_invalid", "must be after it begins", "ends_at");
}

async function requireCampaign(
  { db }: CouponDependencies,
  { campaign: id, currency }: z.output<typeof couponInput>,
): Promise<void> {
  if (id === undefined) return;
  const campaign = found(await findCampaign(db.orm, id), "campaign", id);
  if (campaign.currency === currency) return;
  const message = `its campaign has a budget in ${campaign.currency}`;
  throw new RequestRefusedError("campaign_currency_differs", message, "currency");
}

function readCoupons(api: ApiInstance, deps: CouponDependencies): void {
  api.get(
    "/v1/coupons",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List coupons, the newest first",
        querystring: pageQuery,
        response: { 200: listOf(couponSchema) },
      },
    },
    async ({ query }) =>
      listAnswer(await listCoupons(deps.db.orm, pageRequest(query, newestFirst)), newestFirst, couponAnswer),
  );
  api.get(
    "/v1/coupons/:id",
    {
      config: { scope: "read", refusals: ["coupon_not_found"] },
      schema: { tags, summary: "A coupon", params: idParams, response: { 200: couponSchema } },
    },
    async ({ params: { id } }) => couponAnswer(found(await findCoupon(deps.db.orm, id), "coupon", id)),
  );
}

function postEnd(api: ApiInstance, deps: CouponDependencies): void {
  api.post(
    "/v1/coupons/:id/end",
    {
      config: { scope: "write", refusals: ["coupon_not_found"] },
      schema: {
        tags,
        summary: "Have a coupon redeemed no more",
        description: "What it gave stays. Of one that has ended already the first end stands.",
        params: idParams,
        response: { 200: couponSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      found(await findCoupon(deps.db.orm, id), "coupon", id);
      await endCoupon(deps.db.orm, { couponId: id, endedBy: callerOf(request).actor, endedAt: deps.now() });
      return couponAnswer(found(await findCoupon(deps.db.orm, id), "coupon", id));
    },
  );
}

function couponAnswer(stored: StoredCoupon): z.infer<typeof couponSchema> {
  const { id, code, name, currency, priority, plans, stacking, end } = stored;
  return {
    ...{ id, code, name, currency, priority, plans, stacking, given_on: stored.givenOn },
    campaign: stored.campaignId,
    amount_minor: stored.amountMinor.toString(),
    expires_after_days: stored.expiresAfterDays,
    scope: scopeAnswer(stored.scope),
    starts_at: isoOf(stored.startsAt),
    ends_at: isoOrNull(stored.endsAt),
    redemptions_max: stored.redemptionsMax,
    per_customer_max: stored.perCustomerMax,
    redemptions: stored.redemptions ?? 0,
    created_by: stored.createdBy,
    created_at: isoOf(stored.createdAt),
    end: end && { ended_by: end.endedBy, ended_at: isoOf(end.endedAt) },
  };
}
