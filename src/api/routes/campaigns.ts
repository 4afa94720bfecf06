import { z } from "zod";
import {
  campaignUptake,
  endCampaign,
  findCampaign,
  insertCampaign,
  listCampaigns,
  type StoredCampaign,
} from "../../db/promotions/campaigns.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { exactOfLedgerAmount, ledgerAmount } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import {
  currencyInput,
  currencyText,
  decimalText,
  idParams,
  instantText,
  minorText,
  positiveMinorInput,
  textInput,
} from "../wire.ts";
import { actorText } from "./decisions-wire.ts";

type CampaignDependencies = Pick<ApiDependencies, "db" | "now">;

const campaignSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    currency: currencyText,
    budget_minor: minorText,
    given_minor: minorText.describe("What was redeemed of it, used or not."),
    redemptions: z.int(),
    created_by: actorText,
    created_at: instantText,
    end: z.object({ ended_by: actorText, ended_at: instantText }).nullable(),
  })
  .meta({ id: "Campaign" });

const uptakeSchema = z
  .object({
    campaign: campaignSchema,
    left_minor: minorText.describe("Of its budget."),
    coupons: z.array(
      z.object({
        coupon: z.string(),
        redemptions: z.int(),
        customers: z.int().describe("How many different ones have redeemed it."),
        given_minor: decimalText.describe("Credit that it gave; what waits to be approved is not among it."),
        spent_minor: decimalText.describe("What usage that is billed has drawn of that: what it has cost."),
        lapsed_minor: decimalText.describe("What was left when it expired."),
        unspent_minor: decimalText,
      }),
    ),
  })
  .meta({ id: "CampaignReport" });

const tags = ["Promotions"];

/** What may be given away together, and what came of it. */
export function campaignRoutes(api: ApiInstance, deps: CampaignDependencies): void {
  createCampaign(api, deps);
  readCampaigns(api, deps);
  getReport(api, deps);
  postEnd(api, deps);
}

function createCampaign(api: ApiInstance, deps: CampaignDependencies): void {
  api.post(
    "/v1/campaigns",
    {
      config: { scope: "write", refusals: [] },
      schema: {
        tags,
        summary: "Begin a campaign with a budget",
        description: "What does not fit into the budget any more is not redeemed: it stops by itself.",
        body: z.strictObject({
          name: textInput(200),
          currency: currencyInput,
          budget_minor: positiveMinorInput,
        }),
        response: { 201: campaignSchema },
      },
    },
    async (request, reply) => {
      const { name, currency, budget_minor: budgetMinor } = request.body;
      const id = newId(request, "cmp");
      const created = { createdBy: callerOf(request).actor, createdAt: deps.now() };
      await insertCampaign(deps.db.orm, { id, name, currency, budgetMinor, ...created });
      return reply.code(201).send(await answerFor(id, deps));
    },
  );
}

function readCampaigns(api: ApiInstance, deps: CampaignDependencies): void {
  api.get(
    "/v1/campaigns",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List campaigns, the newest first",
        querystring: pageQuery,
        response: { 200: listOf(campaignSchema) },
      },
    },
    async ({ query }) => {
      const page = await listCampaigns(deps.db.orm, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, campaignAnswer);
    },
  );
}

function getReport(api: ApiInstance, deps: CampaignDependencies): void {
  api.get(
    "/v1/campaigns/:id/report",
    {
      config: { scope: "read", refusals: ["campaign_not_found"] },
      schema: {
        tags,
        summary: "What a campaign has cost, and who has taken it up",
        params: idParams,
        response: { 200: uptakeSchema },
      },
    },
    async ({ params: { id } }) => {
      const stored = found(await findCampaign(deps.db.orm, id), "campaign", id);
      const uptake = await campaignUptake(deps.db.orm, id);
      return {
        campaign: campaignAnswer(stored),
        left_minor: (stored.budgetMinor - (stored.givenMinor ?? 0n)).toString(),
        coupons: uptake.map(({ couponId, redemptions, customers, given, spent, lapsed }) => ({
          ...{ coupon: couponId, redemptions, customers },
          given_minor: exactOfLedgerAmount(given).text,
          spent_minor: exactOfLedgerAmount(spent).text,
          lapsed_minor: exactOfLedgerAmount(lapsed).text,
          unspent_minor: exactOfLedgerAmount(ledgerAmount(given - spent - lapsed)).text,
        })),
      };
    },
  );
}

function postEnd(api: ApiInstance, deps: CampaignDependencies): void {
  api.post(
    "/v1/campaigns/:id/end",
    {
      config: { scope: "write", refusals: ["campaign_not_found"] },
      schema: {
        tags,
        summary: "Have nothing of a campaign redeemed any more",
        description: "What it gave stays. Of one that has ended already the first end stands.",
        params: idParams,
        response: { 200: campaignSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      found(await findCampaign(deps.db.orm, id), "campaign", id);
      const ended = { endedBy: callerOf(request).actor, endedAt: deps.now() };
      await endCampaign(deps.db.orm, { campaignId: id, ...ended });
      return await answerFor(id, deps);
    },
  );
}

const answerFor = async (id: string, { db }: CampaignDependencies) =>
  campaignAnswer(found(await findCampaign(db.orm, id), "campaign", id));

function campaignAnswer(stored: StoredCampaign): z.infer<typeof campaignSchema> {
  const { id, name, currency, end } = stored;
  return {
    ...{ id, name, currency },
    budget_minor: stored.budgetMinor.toString(),
    given_minor: (stored.givenMinor ?? 0n).toString(),
    redemptions: stored.redemptions ?? 0,
    created_by: stored.createdBy,
    created_at: isoOf(stored.createdAt),
    end: end && { ended_by: end.endedBy, ended_at: isoOf(end.endedAt) },
  };
}
