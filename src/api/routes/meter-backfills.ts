import type { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { inTransaction } from "../../db/database.ts";
import { archivedBefore, isArchivedRefusal } from "../../db/usage/archived-months.ts";
import {
  cancelMeterBackfill,
  findMeterBackfill,
  listMeterBackfills,
  listRefusals,
  type StoredMeterBackfill,
  startMeterBackfill,
} from "../../db/usage/meter-backfill.ts";
import { newestVersions, publishedMeters, type StoredMeter } from "../../db/usage/meters-in-force.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { byNumber, listAnswer, listOf, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { isoOrNull } from "../wire.ts";
import {
  backfillAnswer,
  backfillInput,
  backfillParams,
  backfillSchema,
  meterParams,
  refusalSchema,
} from "./meter-backfill-schemas.ts";

const tags = ["Meters"];

/** Stored events are counted by a meter that was published after them. */
export function meterBackfillRoutes(api: ApiInstance, deps: ApiDependencies): void {
  start(api, deps);
  list(api, deps);
  get(api, deps);
  refusals(api, deps);
  cancel(api, deps);
}

function start(api: ApiInstance, { db }: ApiDependencies): void {
  api.post(
    "/v1/meters/:key/backfills",
    {
      config: {
        scope: "admin",
        refusals: ["meter_not_found", "customer_not_found", "usage_month_archived"],
      },
      schema: {
        tags,
        summary: "Have stored events counted by a version of a meter",
        description:
          "Each event that was taken in before the version was published counts for it once, as it stands now, whatever backfills " +
          "are asked for. The workers do it, page by page.",
        params: meterParams,
        body: backfillInput,
        response: { 201: backfillSchema },
      },
    },
    async (request, reply) => {
      const { version, from: since, to: until = null, customer: customerId } = request.body;
      const meter = versionOf(await publishedMeters(db.orm), request.params.key, version);
      if (customerId !== undefined) found(await findCustomer(db.orm, customerId), "customer", customerId);
      const id = newId(request, "mbf");
      const requestedBy = callerOf(request).actor;
      const asked = { id, meter: meter.number, since, until, customerId, requestedBy };
      try {
        await inTransaction(db, (tx) => startMeterBackfill(tx, asked));
      } catch (error) {
        if (!isArchivedRefusal(error)) throw error;
        const before = await archivedBefore(db.orm);
        const message = `single events are archived up to ${isoOrNull(before)}: they cannot be counted any more`;
        throw new RequestRefusedError("usage_month_archived", message, "from");
      }
      return reply.code(201).send(await backfillAnswer(db, await storedBackfill(db, { key: meter.key, id })));
    },
  );
}

/** The version that is named, or the newest. */
function versionOf(meters: readonly StoredMeter[], key: string, version: number | undefined): StoredMeter {
  const chosen =
    version === undefined
      ? newestVersions(meters).find((meter) => meter.key === key)
      : meters.find((meter) => meter.key === key && meter.version === version);
  return found(chosen, "meter", version === undefined ? key : `${key} version ${version}`);
}

function list(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/meters/:key/backfills",
    {
      config: { scope: "read", refusals: ["meter_not_found", "cursor_invalid"] },
      schema: {
        tags,
        summary: "List the backfills of a meter, the newest first",
        params: meterParams,
        querystring: pageQuery,
        response: { 200: listOf(backfillSchema) },
      },
    },
    async ({ params: { key }, query }) => {
      versionOf(await publishedMeters(db.orm), key, undefined);
      const page = await listMeterBackfills(db.orm, key, pageRequest(query, byNumber));
      const items = await Promise.all(page.items.map((backfill) => backfillAnswer(db, backfill)));
      return listAnswer({ ...page, items }, byNumber, (answer) => answer);
    },
  );
}

function get(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/meters/:key/backfills/:id",
    {
      config: { scope: "read", refusals: ["meter_backfill_not_found"] },
      schema: {
        tags,
        summary: "A backfill of a meter, with how far it has come",
        params: backfillParams,
        response: { 200: backfillSchema },
      },
    },
    async ({ params }) => backfillAnswer(db, await storedBackfill(db, params)),
  );
}

function refusals(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/meters/:key/backfills/:id/refusals",
    {
      config: { scope: "read", refusals: ["meter_backfill_not_found", "cursor_invalid"] },
      schema: {
        tags,
        summary: "List the events that a backfill's meter cannot measure",
        params: backfillParams,
        querystring: pageQuery,
        response: { 200: listOf(refusalSchema) },
      },
    },
    async ({ params, query }) => {
      const { seq } = await storedBackfill(db, params);
      const page = await listRefusals(db.orm, seq, pageRequest(query, byNumber));
      return listAnswer(page, byNumber, ({ source, id, eventTime, code, detail, field }) => {
        return { source, id, time: isoOf(eventTime), code, detail, field };
      });
    },
  );
}

function cancel(api: ApiInstance, { db }: ApiDependencies): void {
  api.post(
    "/v1/meters/:key/backfills/:id/cancel",
    {
      config: { scope: "admin", refusals: ["meter_backfill_not_found", "meter_backfill_done"] },
      schema: {
        tags,
        summary: "Stop a backfill",
        description: "What it has counted stays counted; another backfill counts the rest.",
        params: backfillParams,
        response: { 200: backfillSchema },
      },
    },
    async (request) => {
      const { seq } = await storedBackfill(db, request.params);
      const canceledBy = callerOf(request).actor;
      await inTransaction(db, (tx) => cancelMeterBackfill(tx, seq, canceledBy));
      const stored = await storedBackfill(db, request.params);
      if (stored.state !== "canceled") {
        throw new RequestRefusedError("meter_backfill_done", "all of its events have been looked at already");
      }
      return backfillAnswer(db, stored);
    },
  );
}

async function storedBackfill(
  { orm }: ApiDependencies["db"],
  { key, id }: z.infer<typeof backfillParams>,
): Promise<StoredMeterBackfill> {
  const stored = await findMeterBackfill(orm, id);
  return found(stored?.key === key ? stored : undefined, "meter_backfill", id);
}
