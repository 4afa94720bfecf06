import { z } from "zod";
import { type BillingInterval, intervalUnits } from "../calendar/index.ts";
import { defaultProration, prorationUnits, settlements } from "./proration-policy.ts";

/** Quarters are written as such and kept as three months: a plan must not count as changed for it. */
export const interval = z
  .strictObject({ unit: z.enum([...intervalUnits, "quarter"]), count: z.int().min(1).max(366) })
  .transform(
    ({ unit, count }): BillingInterval =>
      unit === "quarter" ? { unit: "month", count: 3 * count } : { unit, count },
  );

export const anchor = z.discriminatedUnion(
  "type",
  [
    z.strictObject({ type: z.literal("anniversary") }),
    z.strictObject({
      type: z.literal("calendar"),
      weekday: z.int().min(1).max(7).exactOptional(),
      day: z.int().min(1).max(31).exactOptional(),
      month: z.int().min(1).max(12).exactOptional(),
      stub: z.enum(["prorated", "free"]).exactOptional(),
    }),
  ],
  'write "anniversary" or "calendar"',
);

export const proration = z.strictObject({
  unit: z.enum(prorationUnits).default(defaultProration.unit),
  changeDayBelongsTo: z.enum(["old", "new"]).default(defaultProration.changeDayBelongsTo),
  creditBasis: z.enum(["list", "paid"]).default(defaultProration.creditBasis),
  settle: z.enum(settlements).default(defaultProration.settle),
  intervalChange: z.enum(["reset_and_charge", "keep_and_prorate"]).default(defaultProration.intervalChange),
});
