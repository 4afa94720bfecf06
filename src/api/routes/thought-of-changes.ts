import { z } from "zod";
import type { ThoughtOfChange } from "../../db/billing/foreseen-change.ts";
import type { AskedChange } from "../../db/billing/requested-change.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { changeOptions, optionsOf, unusedInput, whenInput, whenOf } from "./change-inputs.ts";
import { pauseInputs } from "./pause-inputs.ts";
import { overridesInput, overridesOf } from "./price-overrides.ts";
import { planInput, seatsInput } from "./subscriptions.ts";

const when = whenInput.default("now");
const { proration } = changeOptions;

/** A change that is not asked for: as the command has it, with its kind. */
export const thoughtOfChangeInput = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("change_plan"),
      ...{ plan: planInput, seats: seatsInput.optional(), overrides: overridesInput, when, proration },
    }),
    z.strictObject({ kind: z.literal("change_quantity"), seats: seatsInput, when, proration }),
    z.strictObject({
      kind: z.literal("add_add_on"),
      ...{ plan: planInput, seats: seatsInput.default(1), overrides: overridesInput, when, proration },
    }),
    z.strictObject({ kind: z.literal("remove_add_on"), plan: planInput, when, proration }),
    z.strictObject({ kind: z.literal("pause"), ...pauseInputs, when, proration }),
    z.strictObject({ kind: z.literal("resume"), when, proration }),
    z.strictObject({ kind: z.literal("end_trial") }),
    z.strictObject({ kind: z.literal("cancel"), when, unused: unusedInput.default("credit") }),
  ])
  .meta({ id: "ThoughtOfChange" });

type Input = z.output<typeof thoughtOfChangeInput>;

export function thoughtOfChange(input: Input, path: string): ThoughtOfChange {
  const time = "when" in input ? whenOf(input.when).when : undefined;
  return { change: changeOf(input, path), when: time ?? "now" };
}

function changeOf(input: Input, path: string): AskedChange {
  switch (input.kind) {
    case "change_plan": {
      const { kind, plan: planKey, seats, overrides } = input;
      const wanted = { planKey, ...(seats === undefined ? {} : { seats }), ...overridesOf(overrides, path) };
      return { kind, ...wanted, ...optionsOf(input) };
    }
    case "add_add_on": {
      const { kind, plan: planKey, seats, overrides } = input;
      return { kind, planKey, seats, ...overridesOf(overrides, path), ...optionsOf(input) };
    }
    case "remove_add_on":
      return { kind: input.kind, planKey: input.plan, ...optionsOf(input) };
    case "change_quantity":
      return { kind: input.kind, seats: input.seats, ...optionsOf(input) };
    case "pause": {
      const { kind, usage, resumes_at: resumesAt, resume_anchor: resumeAnchor } = input;
      const resumed = resumesAt === undefined ? {} : { resumesAt: isoOf(resumesAt), resumeAnchor };
      return { kind, usage, ...resumed, ...optionsOf(input) };
    }
    case "resume":
      return { kind: input.kind, ...optionsOf(input) };
    case "end_trial":
      return { kind: input.kind, anchor: "reset" };
    case "cancel":
      return { kind: input.kind, credit: input.unused === "credit" ? "unused" : input.unused };
  }
}
