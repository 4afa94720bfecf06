import { z } from "zod";
import { metersOfPeriod, publishedMeters } from "../../db/usage/meters-in-force.ts";
import { type UsageQuantity, usageByWindow, usageQuantities } from "../../db/usage/usage-quantities.ts";
import { type Instant, isoOf, lengthMs, type Period, period } from "../../domain/calendar/index.ts";
import { inUnit, type Meter, type WindowSize, windowSizes } from "../../domain/metering/index.ts";
import { Fraction } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { clockOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { namedValues } from "../named-values.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { decimalText, instantInput, instantText, textInput } from "../wire.ts";
import { watermarksNow } from "./usage-watermarks.ts";

type UsageDependencies = Pick<ApiDependencies, "db" | "now">;

const usageSchema = z
  .object({
    customer: z.string(),
    meter: z.string(),
    meter_version: z
      .number()
      .int()
      .describe("The version in force when the period began, which measures all of it."),
    from: instantText,
    to: instantText,
    complete_until: instantText.describe("Up to when the meter's usage is complete."),
    unit: z.string().optional().describe("What the meter's quantities are in, where it says so."),
    data: z.array(
      z.object({
        window_start: instantText.optional().describe("In answers by window."),
        dimensions: z.record(z.string(), z.string()),
        quantity: decimalText,
        event_count: z.number().int(),
      }),
    ),
  })
  .meta({ id: "Usage" });

const usageQuery = z.strictObject({
  customer: textInput(200),
  meter: textInput(200),
  from: instantInput,
  to: instantInput.describe("Exclusive. Usage is exact to the millisecond."),
  group_by: z
    .string()
    .transform((names) => names.split(",").filter((name) => name !== ""))
    .optional()
    .describe(
      "Dimensions to tell apart, with commas; empty for one total; all of the meter's when left out.",
    ),
  where: namedValues
    .optional()
    .describe(
      "Only usage with this value of a dimension, such as `model:large`. May be given several times: all hold.",
    ),
  window: z
    .enum(windowSizes)
    .optional()
    .describe("Divides the answer into minutes, hours or days on the customer's clock."),
});

/** How much a customer used. */
export function usageRoutes(api: ApiInstance, deps: UsageDependencies): void {
  const { db } = deps;
  api.get(
    "/v1/usage",
    {
      config: {
        scope: "read",
        refusals: ["meter_not_found", "dimension_unknown", "period_invalid", "usage_month_archived"],
      },
      schema: {
        tags: ["Usage"],
        summary: "How much a customer used in a period",
        querystring: usageQuery,
        response: { 200: usageSchema },
      },
    },
    async ({ query: { customer, meter: meterKey, from, to, group_by: groupBy, where, window } }) => {
      const clock = await clockOfCustomer(db.orm, deps, customer);
      const asked = period(from, to, "to");
      const versions = await metersOfPeriod(db.orm, await publishedMeters(db.orm), {
        customerId: customer,
        period: asked,
        isOnTestClock: clock.isOnTestClock,
      });
      const meter = found(
        versions.find(({ key }) => key === meterKey),
        "meter",
        meterKey,
      );
      requireDimensions(meter, groupBy ?? [], "group_by");
      requireDimensions(meter, Object.keys(where ?? {}), "where");
      const watermarks = await watermarksNow(db.orm, customer, clock, [meter]);
      const request = {
        customerId: customer,
        meter,
        period: untilNow(asked, meter, clock.now),
        ...(groupBy === undefined ? {} : { groupBy }),
        ...(where === undefined ? {} : { where }),
      };
      const head = {
        customer,
        meter: meterKey,
        meter_version: meter.version,
        from: isoOf(from),
        to: isoOf(to),
        complete_until: isoOf(watermarks.get(meter.eventType)?.completeUntil ?? clock.now),
        ...(meter.unit === undefined ? {} : { unit: meter.unit.name }),
      };
      if (window === undefined) {
        const rows = await usageQuantities(db.orm, request);
        return { ...head, data: rows.map((row) => quantityAnswer(row, meter)) };
      }
      requireFewWindows(request.period, window);
      const windows = await usageByWindow(db.orm, { ...request, size: window });
      return {
        ...head,
        data: windows.map((row) => ({ window_start: isoOf(row.windowStart), ...quantityAnswer(row, meter) })),
      };
    },
  );
}

function requireDimensions({ key, dimensions }: Meter, names: readonly string[], field: string): void {
  const unknown = names.find((name) => !dimensions.includes(name));
  if (unknown === undefined) return;
  const known = dimensions.length === 0 ? "none" : dimensions.join(", ");
  const message = `meter ${key} has no dimension "${unknown}"; it has ${known}`;
  throw new RequestRefusedError("dimension_unknown", message, field);
}

/** A level that holds has no end yet: it counts until now. */
function untilNow(asked: Period, { aggregation }: Meter, now: Instant): Period {
  const isRunning = aggregation === "time_weighted_sum" && asked.start < now && now < asked.end;
  return isRunning ? { start: asked.start, end: now } : asked;
}

const windowsMax = 1_500;
const windowMs: Readonly<Record<WindowSize, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

function requireFewWindows(asked: Period, window: WindowSize): void {
  if (lengthMs(asked) <= windowsMax * windowMs[window]) return;
  const message = `a period of at most ${windowsMax} windows can be shown: ask for less, or for larger windows`;
  throw new RequestRefusedError("period_invalid", message, "window");
}

/** Each quantity is rounded for itself, where the meter's unit says so. */
function quantityAnswer({ dimensions, quantity, eventCount }: UsageQuantity, meter: Meter) {
  const converted = inUnit(meter, Fraction.ofDecimal(quantity));
  return { dimensions, quantity: converted.text, event_count: Number(eventCount) };
}
