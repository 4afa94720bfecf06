import { z } from "zod";
import { calculateAggregation, duplicateRules, windowsMax } from "../../domain/calculators/index.ts";
import { isoOf, period } from "../../domain/calendar/index.ts";
import { parseEventData, windowSizes } from "../../domain/metering/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { decimalText, instantInput, instantText, textInput, timeZoneInput } from "../wire.ts";
import { readMeter } from "./calculate-catalog.ts";
import { calculator, listInput, requireSize } from "./calculate-wire.ts";
import { meterSchema } from "./catalog-schemas.ts";

const eventsMax = 2_000;

const question = z
  .strictObject({
    meter: meterSchema,
    events: listInput(
      z.strictObject({
        id: textInput(200),
        time: instantInput,
        data: z.record(z.string(), z.unknown()).default({}),
      }),
      eventsMax,
    ),
    from: instantInput,
    to: instantInput.describe("Not included."),
    duplicates: z
      .enum(duplicateRules)
      .default("ignored")
      .describe("What a second event with the same id does; production ignores it."),
    windows: z
      .strictObject({ size: z.enum(windowSizes), time_zone: timeZoneInput.default("UTC") })
      .optional()
      .describe(`Also the quantity of each window, ${windowsMax} at most.`),
  })
  .meta({ id: "AggregationQuestion" });

const answer = z
  .object({
    quantity: decimalText.describe("What the meter reads, in its unit."),
    groups: z.array(z.object({ dimensions: z.record(z.string(), z.string()), quantity: decimalText })),
    windows: z.array(z.object({ start: instantText, end: instantText, quantity: decimalText })),
    events_counted: z.int(),
    duplicates: z.array(z.string()).describe("Ids that came again and said the same."),
    conflicts: z.array(z.string()).describe("Ids that came again and said something else."),
  })
  .meta({ id: "AggregationAnswer" });

export function calculateAggregationRoute(api: ApiInstance): void {
  const options = calculator(question, answer, {
    summary: "What a meter makes of usage events",
    description:
      "Measures the events as ingest would, and reads the meter as closing a period would. Nothing is kept.",
    refusals: [
      "catalog_invalid",
      "period_invalid",
      "windows_too_many",
      "usage_event_duplicate",
      "usage_event_invalid",
      "usage_property_missing",
      "usage_quantity_invalid",
      "usage_quantity_negative",
      "usage_quantity_too_large",
      "usage_value_invalid",
      "usage_dimension_invalid",
    ],
  });
  api.post("/v1/calculate/aggregation", options, async ({ body }) => {
    requireSize("events", body.events.length, eventsMax);
    const { windows } = body;
    const result = calculateAggregation({
      meter: readMeter(body.meter),
      events: body.events.map((event) => ({ ...event, data: parseEventData(event.data) })),
      period: period(body.from, body.to, "to"),
      duplicates: body.duplicates,
      windows: windows === undefined ? null : { size: windows.size, timeZone: windows.time_zone },
    });
    return {
      quantity: result.quantity.text,
      groups: result.groups.map(({ dimensions, quantity }) => ({ dimensions, quantity: quantity.text })),
      windows: result.windows.map(({ period: { start, end }, quantity }) => ({
        start: isoOf(start),
        end: isoOf(end),
        quantity: quantity.text,
      })),
      events_counted: result.counted,
      duplicates: [...result.duplicates],
      conflicts: [...result.conflicts],
    };
  });
}
