import { z } from "zod";
import { findEndpoint } from "../../db/notices/endpoints.ts";
import { enqueueNotice, noticeIdOf } from "../../db/notices/enqueue-notice.ts";
import { attemptsOfDelivery, findDelivery, listDeliveries } from "../../db/notices/notices.ts";
import { replayDelivery, replayRange } from "../../db/notices/replay.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idParams, instantInput } from "../wire.ts";
import { attemptAnswer, attemptSchema, deliveryAnswer, deliverySchema } from "./webhook-endpoint-schemas.ts";
import { webhookEndpointTags as tags } from "./webhook-endpoints.ts";

const statuses = z.enum(["waiting", "delivered", "given_up"]);

/** What became of what was sent to an endpoint, and asking for it again. */
export function webhookDeliveryRoutes(api: ApiInstance, deps: ApiDependencies): void {
  const { db } = deps;
  testEndpoint(api, deps);
  replayRoutes(api, deps);
  api.get(
    "/v1/webhook-endpoints/:id/deliveries",
    {
      config: { scope: "read", refusals: ["webhook_endpoint_not_found", "cursor_invalid"] },
      schema: {
        tags,
        summary: "List what went to an endpoint, the newest first",
        params: idParams,
        querystring: pageQuery.extend({ status: statuses.optional() }),
        response: { 200: listOf(deliverySchema) },
      },
    },
    async ({ params: { id }, query: { status: state, ...paging } }) => {
      found(await findEndpoint(db.orm, id), "webhook_endpoint", id);
      const page = pageRequest(paging, newestFirst);
      return listAnswer(
        await listDeliveries(db.orm, { endpointId: id, state }, page),
        newestFirst,
        deliveryAnswer,
      );
    },
  );
  api.get(
    "/v1/notice-deliveries/:id",
    {
      config: { scope: "read", refusals: ["notice_delivery_not_found"] },
      schema: {
        tags,
        summary: "A delivery, with its log",
        params: idParams,
        response: {
          200: deliverySchema.extend({ log: z.array(attemptSchema) }).meta({ id: "LoggedNoticeDelivery" }),
        },
      },
    },
    async ({ params: { id } }) => {
      const row = found(await findDelivery(db.orm, id), "notice_delivery", id);
      return { ...deliveryAnswer(row), log: (await attemptsOfDelivery(db.orm, id)).map(attemptAnswer) };
    },
  );
}

function testEndpoint(api: ApiInstance, { db, now }: ApiDependencies): void {
  api.post(
    "/v1/webhook-endpoints/:id/test",
    {
      config: { scope: "write", refusals: ["webhook_endpoint_not_found", "webhook_endpoint_disabled"] },
      schema: {
        tags,
        summary: "Send a test notice to an endpoint",
        description:
          "Of kind `webhook_endpoint.test`, whatever the endpoint gets. Read the delivery for what became of it.",
        params: idParams,
        response: { 202: z.object({ delivery: z.string() }).meta({ id: "NoticeTest" }) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const endpoint = found(await findEndpoint(db.orm, id), "webhook_endpoint", id);
      if (endpoint.state !== "enabled") {
        throw new RequestRefusedError(
          "webhook_endpoint_disabled",
          "enable it first: nothing is sent to it now",
        );
      }
      const key = `endpoint-test/${newId(request, "test")}`;
      await enqueueNotice(db.orm, {
        key,
        kind: "webhook_endpoint.test",
        customerId: null,
        subject: { endpointId: id },
        occurredAt: now(),
      });
      return reply.code(202).send({ delivery: `${noticeIdOf(key)}.${id}` });
    },
  );
}

const replayInput = z.strictObject({
  from: instantInput.describe("By the wall clock, when it was recorded."),
  to: instantInput,
  which: z
    .enum(["undelivered", "all"])
    .default("undelivered")
    .describe("`undelivered`: also what was never sent because the endpoint was disabled, or new."),
});

function replayRoutes(api: ApiInstance, { db, now }: ApiDependencies): void {
  api.post(
    "/v1/notice-deliveries/:id/replay",
    {
      config: { scope: "write", refusals: ["notice_delivery_not_found"] },
      schema: {
        tags,
        summary: "Make a delivery again, under the same id",
        params: idParams,
        response: { 202: deliverySchema },
      },
    },
    async ({ params: { id } }, reply) => {
      await replayDelivery(db.orm, id, now());
      const row = found(await findDelivery(db.orm, id), "notice_delivery", id);
      return reply.code(202).send(deliveryAnswer(row));
    },
  );
  api.post(
    "/v1/webhook-endpoints/:id/replay",
    {
      config: { scope: "write", refusals: ["webhook_endpoint_not_found"] },
      schema: {
        tags,
        summary: "Send an endpoint what it wants of a time, again or for the first time",
        params: idParams,
        body: replayInput,
        response: { 202: z.object({ deliveries: z.int() }).meta({ id: "NoticeReplay" }) },
      },
    },
    async ({ params: { id }, body }, reply) => {
      found(await findEndpoint(db.orm, id), "webhook_endpoint", id);
      const deliveries = await replayRange(db.orm, { endpointId: id, ...body }, now());
      return reply.code(202).send({ deliveries });
    },
  );
}
