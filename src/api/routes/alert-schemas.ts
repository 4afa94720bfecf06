import { z } from "zod";
import { decimalText, idInput, instantText, positiveMinorInput, textInput } from "../wire.ts";
import { actorText } from "./decisions-wire.ts";
import { key } from "./price-schemas.ts";
import { windowInput } from "./spending-caps.ts";

/** Alerts in requests and answers. */

export const subjectInput = z
  .discriminatedUnion("type", [
    z
      .strictObject({
        type: z.literal("feature"),
        feature: key,
        subject: z
          .record(textInput(100), textInput(200))
          .default({})
          .describe("Whose usage, where a limit is for each of somebody."),
      })
      .describe("The limits of a metered feature, or a money budget."),
    z
      .strictObject({ type: z.literal("spending_cap"), cap: idInput })
      .describe("What reserved requests may spend."),
    z
      .strictObject({ type: z.literal("credit") })
      .describe("All credit that is in force, less what usage that is not billed yet will draw."),
    z
      .strictObject({ type: z.literal("spending"), amount_minor: positiveMinorInput, window: windowInput })
      .describe("A budget that limits nothing: what usage costs in a window."),
  ])
  .meta({ id: "AlertSubject" });

export const conditionInput = z
  .discriminatedUnion("type", [
    z
      .strictObject({ type: z.literal("share"), percent: z.int().min(1).max(1_000) })
      .describe("So much of it is used. At 100 the kind of the notice is `budget.limit_reached`."),
    z
      .strictObject({ type: z.literal("forecast") })
      .describe("It will be overrun before its window ends, if usage goes on as so far."),
  ])
  .meta({ id: "AlertCondition" });

export const alertInput = z.strictObject({ subject: subjectInput, condition: conditionInput });

export const crossingSchema = z.object({
  number: z.int(),
  crossed_at: instantText,
  window_start: instantText.nullable(),
  used: decimalText,
  allowed: decimalText,
  forecast: decimalText.nullable(),
  recovered_at: instantText.nullable().describe("Null as long as it is not armed again."),
  recovered_by: z.enum(["recovered", "reset"]).nullable().describe("`reset`: its window began anew."),
});

export const alertSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    subject: z.unknown(),
    condition: z.unknown(),
    set_by: actorText,
    set_at: instantText,
    end: z.object({ ended_by: actorText, ended_at: instantText }).nullable(),
  })
  .meta({ id: "Alert" });

export const detailSchema = alertSchema
  .extend({ crossings: z.array(crossingSchema).describe("What it has told, the newest 100 first.") })
  .meta({ id: "AlertDetail" });
