import { z } from "zod";
import {
  type UsageQuantity,
  usageByWindow,
  usageQuantities,
  type WindowSize,
} from "../../db/usage/usage-quantities.ts";
import { isoOf, lengthMs, type Period, period } from "../../domain/calendar/index.ts";
import { inUnit, type Meter } from "../../domain/metering/index.ts";
import { Fraction } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { decimalText, instantInput, instantText, textInput } from "../wire.ts";
import { watermarksNow } from "./usage-watermarks.ts";

export interface UsageDependencies extends Pick<ApiDependencies, "db" | "now"> {
  /** The meters in force. */
  readonly meters: () => Promise<readonly Meter[]>;
}

const usageSchema = z
  .object({
    customer: z.string(),
    meter: z.string(),
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
  window: z.enum(["hour", "day"]).optional().describe("Divides the answer into UTC hours or days."),
});

/** How much a customer used. */
export function usageRoutes(api: ApiInstance, deps: UsageDependencies): void {
  const { db, meters } = deps;
  api.get(
    "/v1/usage",
    {
      config: { scope: "read", refusals: ["meter_not_found", "dimension_unknown", "period_invalid"] },
      schema: {
        tags: ["Usage"],
        summary: "How much a customer used in a period",
        querystring: usageQuery,
        response: { 200: usageSchema },
      },
    },
    async ({ query: { customer, meter: meterKey, from, to, group_by: groupBy, window } }) => {
      const meter = found(
        (await meters()).find(({ key }) => key === meterKey),
        "meter",
        meterKey,
      );
      requireDimensions(meter, groupBy ?? []);
      const request = {
        customerId: customer,
        meterKey,
        aggregation: meter.aggregation,
        period: period(from, to, "to"),
        ...(groupBy === undefined ? {} : { groupBy }),
      };
      const { now, watermarks } = await watermarksNow(deps, customer, [meter]);
      const head = {
        customer,
        meter: meterKey,
        from: isoOf(from),
        to: isoOf(to),
        complete_until: isoOf(watermarks.get(meter.eventType)?.completeUntil ?? now),
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

function requireDimensions({ key, dimensions }: Meter, groupBy: readonly string[]): void {
  const unknown = groupBy.find((name) => !dimensions.includes(name));
  if (unknown === undefined) return;
  const known = dimensions.length === 0 ? "none" : dimensions.join(", ");
  const message = `meter ${key} has no dimension "${unknown}"; it has ${known}`;
  throw new RequestRefusedError("dimension_unknown", message, "group_by");
}

const windowsMax = 1_000;
const windowMs: Readonly<Record<WindowSize, number>> = { hour: 3_600_000, day: 86_400_000 };

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
