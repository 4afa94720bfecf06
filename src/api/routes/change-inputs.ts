import { z } from "zod";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { settlements } from "../../domain/catalog/index.ts";
import type { RequestedChange } from "../../domain/invoicing/index.ts";
import type { ChangeTime } from "../../domain/lifecycle/index.ts";
import type { ChangeOptions } from "../../workflows/messages.ts";
import { RequestRefusedError } from "../refusals.ts";
import { instantInput, textInput } from "../wire.ts";
import { overridesInput, overridesOf } from "./price-overrides.ts";
import { planInput, seatsInput } from "./subscriptions.ts";

const prorationInput = z
  .strictObject({
    settle: z
      .enum(settlements)
      .optional()
      .describe("On an invoice of its own, on that of the period, or not charged and not handed back."),
    anchor: z
      .enum(["keep", "reset"])
      .optional()
      .describe("`reset` begins a new period with the change, charged in full."),
  })
  .describe("What the change says for itself; the plan decides what is left out.");

const previewInput = z
  .strictObject({ effective_at: instantInput, quote: textInput(64) })
  .describe(
    "Of the preview that was agreed to: the change is made at that instant with those very lines, or refused.",
  );

/** What every change may say besides itself. */
export const changeOptions = { proration: prorationInput.optional(), preview: previewInput.optional() };

/** When a change is to be made. */
export const whenInput = z
  .union([z.enum(["now", "period_end"]), z.strictObject({ at: instantInput })])
  .describe(
    "`period_end`: with the beginning of the next period, whose terms it is, so that nothing is prorated. At a date: it is prorated then, if that is inside a period. What comes later is listed, and can be withdrawn.",
  );

export function whenOf(when: z.output<typeof whenInput> | undefined): { when?: ChangeTime } {
  if (when === undefined || when === "now") return {};
  return { when: when === "period_end" ? when : { at: isoOf(when.at) } };
}

export const unusedInput = z
  .enum(["credit", "refund", "none"])
  .describe(
    "What becomes of charges for time that is left when it ends inside a period: they go to the customer's balance, back to where they were paid from, or are kept.",
  );

/** What is asked for in the body of any change. */
export interface ChangeOptionsBody {
  readonly proration?: z.output<typeof prorationInput> | undefined;
  readonly preview?: z.output<typeof previewInput> | undefined;
  readonly when?: z.output<typeof whenInput> | undefined;
}

export function optionsOf({ proration = {}, preview }: ChangeOptionsBody): ChangeOptions {
  const { settle, anchor } = proration;
  return {
    ...(settle === undefined ? {} : { settle }),
    ...(anchor === undefined ? {} : { anchor }),
    ...(preview === undefined ? {} : { quote: preview.quote }),
  };
}

/** A change that shares its instant with another comes a millisecond after it, so that much may be ahead. */
const aheadMsMax = 1_000;

/** How long a preview can be agreed to: the invoice of the change is dated at its instant. */
const quoteMsMax = 60 * 60 * 1_000;

/** When a change takes effect: when its preview says, or now. */
export function instantOf({ preview }: ChangeOptionsBody, now: Instant): Instant {
  if (preview === undefined) return now;
  if (preview.effective_at < now - quoteMsMax) {
    const message = "the preview is more than an hour old: preview the change again";
    throw new RequestRefusedError("change_quote_outdated", message, "preview.effective_at");
  }
  if (preview.effective_at <= now + aheadMsMax) return preview.effective_at;
  const message = "is still ahead: a change is made when its time has come";
  throw new RequestRefusedError("request_invalid", message, "preview.effective_at");
}

const choices = {
  proration: prorationInput.optional(),
  effective_at: instantInput
    .optional()
    .describe("Inside the period in course; now by the customer's clock when left out."),
};

/** Any change, as its preview is asked for. */
export const changeInput = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("change_plan"),
      plan: planInput,
      seats: seatsInput.optional(),
      overrides: overridesInput,
      ...choices,
    }),
    z.strictObject({ kind: z.literal("change_quantity"), seats: seatsInput, ...choices }),
    z.strictObject({
      kind: z.literal("add_add_on"),
      plan: planInput,
      seats: seatsInput.default(1),
      overrides: overridesInput,
      ...choices,
    }),
    z.strictObject({ kind: z.literal("remove_add_on"), plan: planInput, ...choices }),
    z.strictObject({ kind: z.literal("pause"), ...choices }),
    z.strictObject({ kind: z.literal("resume"), ...choices }),
    z.strictObject({ kind: z.literal("end_trial"), effective_at: choices.effective_at }),
    z.strictObject({
      kind: z.literal("cancel"),
      unused: unusedInput.default("credit"),
      effective_at: choices.effective_at,
    }),
  ])
  .meta({ id: "RequestedChange" });

export function requestedChange(input: z.output<typeof changeInput>): RequestedChange {
  switch (input.kind) {
    case "cancel":
      return { kind: "cancel", unused: input.unused };
    case "change_plan": {
      const { kind, plan: planKey, seats } = input;
      const wanted = { planKey, ...(seats === undefined ? {} : { seats }), ...overridesOf(input.overrides) };
      return { kind, ...wanted, ...optionsOf(input) };
    }
    case "add_add_on":
      return {
        kind: input.kind,
        planKey: input.plan,
        seats: input.seats,
        ...overridesOf(input.overrides),
        ...optionsOf(input),
      };
    case "remove_add_on":
      return { kind: input.kind, planKey: input.plan, ...optionsOf(input) };
    case "end_trial":
      return { kind: input.kind, anchor: "reset" };
    case "change_quantity":
      return { kind: input.kind, seats: input.seats, ...optionsOf(input) };
    default:
      return { kind: input.kind, ...optionsOf(input) };
  }
}
