import { z } from "zod";
import { anomalyKinds, anomalyStates } from "../../domain/anomalies/index.ts";
import { instantText } from "../wire.ts";

export const anomalySchema = z
  .object({
    id: z.string(),
    kind: z.enum(anomalyKinds),
    customer: z.string().nullable(),
    subject: z.object({ type: z.string(), id: z.string() }).describe("What is unusual."),
    evidence: z
      .record(z.string(), z.string())
      .describe(
        "As it was found: the figure, and of what is compared the median and the spread of those before, how many spreads " +
          "it is away in tenths, and with how many it was compared.",
      ),
    found_at: instantText,
    state: z.enum(anomalyStates),
    owner: z.string().nullable(),
    changed_at: instantText,
  })
  .meta({ id: "Anomaly" });

const anomalyNoteSchema = z.object({
  id: z.string(),
  note: z.string().nullable(),
  state: z.enum(anomalyStates).nullable(),
  owner: z.string().nullable(),
  noted_by: z.string(),
  noted_at: instantText,
});

export const anomalyDetailSchema = anomalySchema
  .extend({ notes: z.array(anomalyNoteSchema) })
  .meta({ id: "AnomalyDetail" });

const ruleFields = {
  watched: z.boolean(),
  tenths_min: z
    .int()
    .min(1)
    .max(10_000)
    .describe(
      "So many spreads from the median are unusual, in tenths; where nothing is compared it is not asked.",
    ),
  history_min: z.int().min(0).max(1_000).describe("Fewer earlier figures say nothing about what is usual."),
  amount_min: z
    .string()
    .regex(/^\d{1,15}$/, { error: 'must be a whole number as a text, such as "1000"' })
    .describe("Smaller differences are nobody's concern: minor units, units of a meter, or hours."),
};

export const anomalyRuleInput = z.strictObject(ruleFields);
export const anomalyRuleSchema = z
  .object({ kind: z.enum(anomalyKinds), ...ruleFields, changed_by: z.string(), changed_at: instantText })
  .meta({ id: "AnomalyRule" });
