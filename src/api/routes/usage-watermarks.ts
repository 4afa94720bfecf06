import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import type { Tx } from "../../db/database.ts";
import { endHeartbeats, noteHeartbeat, usageWatermarks } from "../../db/usage/watermarks.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { type Meter, requireHeartbeatOfThePast, type Watermark } from "../../domain/metering/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { type CustomerClock, clockOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import type { TakingIn } from "../ingest/take-in.ts";
import { found } from "../refusals.ts";
import { idParams, instantInput, instantText, textInput } from "../wire.ts";

export interface WatermarkDependencies extends Pick<ApiDependencies, "db" | "now">, Pick<TakingIn, "nowFor"> {
  /** The meters in force. */
  readonly meters: () => Promise<readonly Meter[]>;
}

const tags = ["Usage"];
const namesMax = 100;

/** Up to when usage is complete: what sources say of it, and what comes of that. */
export function usageWatermarkRoutes(api: ApiInstance, deps: WatermarkDependencies): void {
  postHeartbeat(api, deps);
  getWatermarks(api, deps);
}

const heartbeatInput = z
  .strictObject({
    source: textInput(200).describe("The `source` of the events that it speaks of."),
    instance: textInput(200)
      .default("main")
      .describe("Which process of the source speaks: a source is as far as its slowest instance."),
    complete_until: instantInput
      .optional()
      .describe("All that this instance will ever send with a `time` before this has been accepted."),
    customers: z
      .array(textInput(200))
      .min(1)
      .max(namesMax)
      .optional()
      .describe("Of these alone; of all when left out."),
    types: z
      .array(textInput(200))
      .min(1)
      .max(10)
      .optional()
      .describe("Of these alone; of all when left out."),
    final: z
      .literal(true)
      .optional()
      .describe("Instead of `complete_until`: this instance will send nothing more, so nobody waits for it."),
  })
  .refine(({ complete_until, final }) => (complete_until === undefined) !== (final === undefined), {
    error: "give complete_until, or final when the instance ends",
    path: ["complete_until"],
  });

const heartbeatSchema = z
  .object({
    source: z.string(),
    instance: z.string(),
    status: z
      .enum(["advanced", "kept", "ended"])
      .describe(
        "`kept`: it was known to be as far before, or farther, and that stands; a heartbeat never goes back.",
      ),
    complete_until: instantText.nullable().describe("How far the instance is now. Null when it has ended."),
  })
  .meta({ id: "UsageHeartbeat" });

function postHeartbeat(api: ApiInstance, { db, now, nowFor }: WatermarkDependencies): void {
  api.post(
    "/v1/usage/heartbeats",
    {
      config: {
        scope: "usage:write",
        repeatable: true,
        isFrequent: true,
        refusals: ["heartbeat_in_future"],
      },
      schema: {
        tags,
        summary: "Say up to when a source has sent everything",
        description:
          "The close of a period waits for sources that are behind. Send one every few seconds to minutes; repeating it, or " +
          "sending an earlier one, changes nothing.",
        body: heartbeatInput,
        response: { 200: heartbeatSchema },
      },
    },
    async ({ body: { source, instance, complete_until: completeUntil, customers, types } }) => {
      if (completeUntil === undefined) {
        await endHeartbeats(db.orm, source, instance);
        return { source, instance, status: "ended" as const, complete_until: null };
      }
      const clocks = customers === undefined ? new Map<string, Instant>() : await nowFor(() => customers);
      const wallClock = now();
      for (const customer of customers ?? [""]) {
        requireHeartbeatOfThePast(completeUntil, clocks.get(customer) ?? wallClock);
      }
      const said = { source, instance, completeUntil, customerIds: customers ?? null, types: types ?? null };
      const noted = await noteHeartbeat(db.orm, said);
      return {
        source,
        instance,
        status: noted.isNews ? ("advanced" as const) : ("kept" as const),
        complete_until: isoOf(noted.completeUntil),
      };
    },
  );
}

const watermarkSchema = z
  .object({
    meter: z.string(),
    complete_until: instantText,
    lag_seconds: z.number().describe("How long ago that is, for the customer."),
    kind: z
      .enum(["reported", "estimated", "none"])
      .describe(
        "`reported`: by heartbeats of the source that is furthest behind. `estimated`: it sends none, so by how late its events " +
          "used to be. `none`: no source is expected to send anything.",
      ),
    held_back_by: z.string().nullable().describe("The source that is furthest behind."),
    heard_at: instantText.nullable().describe("When that source last said so; null when it is estimated."),
    estimated_from_events: z
      .string()
      .nullable()
      .describe(
        "How many events the estimate is made from: the more, the surer. 99.9 % of them had arrived after the lag.",
      ),
  })
  .meta({ id: "UsageWatermark" });

const watermarksSchema = z.object({ customer: z.string(), data: z.array(watermarkSchema) });

function getWatermarks(api: ApiInstance, deps: WatermarkDependencies): void {
  api.get(
    "/v1/customers/:id/usage/watermarks",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "Up to when a customer's usage is complete, meter by meter",
        params: idParams,
        response: { 200: watermarksSchema },
      },
    },
    async ({ params: { id } }) => {
      found(await findCustomer(deps.db.orm, id), "customer", id);
      const meters = await deps.meters();
      const clock = await clockOfCustomer(deps.db.orm, deps, id);
      const watermarks = await watermarksNow(deps.db.orm, id, clock, meters);
      const data = meters.flatMap(({ key, eventType }) => {
        const watermark = watermarks.get(eventType);
        return watermark === undefined ? [] : [watermarkAnswer(key, watermark, clock.now)];
      });
      return { customer: id, data };
    },
  );
}

/** The watermarks of these meters' types of events, at the customer's time. */
export async function watermarksNow(
  tx: Tx,
  customerId: string,
  clock: CustomerClock,
  meters: readonly Meter[],
): Promise<Map<string, Watermark>> {
  const eventTypes = [...new Set(meters.map(({ eventType }) => eventType))];
  return await usageWatermarks(tx, { customerId, eventTypes, ...clock });
}

function watermarkAnswer(meter: string, watermark: Watermark, now: Instant): z.infer<typeof watermarkSchema> {
  return {
    meter,
    complete_until: isoOf(watermark.completeUntil),
    lag_seconds: (now - watermark.completeUntil) / 1_000,
    kind: watermark.kind,
    held_back_by: watermark.kind === "none" ? null : watermark.source,
    heard_at: watermark.kind === "reported" ? isoOf(watermark.heardAt) : null,
    estimated_from_events: watermark.kind === "estimated" ? watermark.events.toString() : null,
  };
}
