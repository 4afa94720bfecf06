import { z } from "zod";
import {
  type ChargeOutcome,
  calculateDunningSchedule,
  type DunningHappening,
} from "../../domain/calculators/index.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { CatalogInvalidError, parseDunningTerms } from "../../domain/catalog/index.ts";
import {
  accessLevels,
  type DunningPolicy,
  declineClasses,
  dunningPolicy,
  finalActions,
  noticeMoments,
} from "../../domain/lifecycle/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { camelCase, renameFields, snakeCase } from "../field-names.ts";
import { RequestRefusedError } from "../refusals.ts";
import { instantInput, instantText, timeZoneInput } from "../wire.ts";
import { calculator, listInput, requireSize } from "./calculate-wire.ts";
import { dunningReason } from "./dunning-schemas.ts";
import { dunningRefinements } from "./dunning-terms-schema.ts";

const eventsMax = 100;

const days = z.int().min(1).max(365);
const decline = z
  .enum(declineClasses)
  .describe(
    "`soft`, `insufficient_funds`, `processing_error`: the same card may succeed later; `hard`: never; `authentication`: the " +
      "cardholder must act.",
  );

const paid = z.strictObject({ status: z.literal("paid") });
const declined = z.strictObject({ status: z.literal("declined"), decline: decline.default("soft") });
const withheld = z.strictObject({
  status: z.literal("withheld"),
  until: instantInput.nullable().describe("When the network allows the card again; null when it never does."),
});
const outcome = z.discriminatedUnion("status", [paid, declined, withheld]).meta({ id: "ChargeOutcome" });

const question = z
  .strictObject({
    policy: z.strictObject({
      retry_after_days: z
        .array(days)
        .max(15)
        .default([3, 5, 7])
        .describe("Days after the first failed charge."),
      final_action: z.enum(finalActions).default("cancel"),
      access_grace_days: z.int().min(0).max(365).default(7),
      ...dunningRefinements,
    }),
    time_zone: timeZoneInput.default("UTC").describe("The customer's, for quiet hours and times of the day."),
    learnt_hour: z
      .int()
      .min(0)
      .max(23)
      .nullable()
      .default(null)
      .describe("At which hour most of the customer's payments succeeded; null when there was none."),
    failed_at: instantInput.describe("When the first charge was declined."),
    decline: decline.default("soft"),
    scheduled: listInput(outcome, 15)
      .default([])
      .describe("What the attempts of the schedule come to, in order; where none is given, a soft decline."),
    events: listInput(
      z.discriminatedUnion("type", [
        z.strictObject({ type: z.enum(["new_payment_method", "retry_now"]), at: instantInput, outcome }),
        z.strictObject({ type: z.literal("postponed"), at: instantInput, until: instantInput }),
        z.strictObject({
          type: z.enum(["paid", "voided", "stopped", "dispute_opened", "dispute_closed"]),
          at: instantInput,
        }),
      ]),
      eventsMax,
    )
      .default([])
      .describe(
        "What the customer, a bank or an operator does meanwhile. A new payment method is charged at once.",
      ),
  })
  .meta({ id: "DunningQuestion" });

const answer = z
  .object({
    outcome: z
      .enum(["recovered", "closed", "exhausted", "stopped", "disputed"])
      .describe("`disputed`: the events name no end of a dispute."),
    ended_at: instantText,
    attempts: z.array(
      z.object({
        number: z.int(),
        at: instantText,
        cause: z.enum(["first_charge", "schedule", "new_payment_method", "operator"]),
        why: dunningReason.nullable().describe("What decided the instant; null for the first charge."),
        status: z.enum(["paid", "declined", "withheld"]),
        decline: decline.nullable(),
      }),
    ),
    notices: z.array(z.object({ at: instantText, moment: z.enum(noticeMoments), notice: z.string() })),
    states: z
      .array(
        z.object({
          from: instantText,
          invoice: z.enum(["open", "paid", "void", "uncollectible"]),
          dunning: z.enum([
            "retrying",
            "awaiting_payment_method",
            "awaiting_action",
            "disputed",
            "recovered",
            "closed",
            "exhausted",
            "stopped",
          ]),
          subscription: z.enum(["past_due", "active", "canceled", "paused"]),
          access: z.enum(accessLevels),
        }),
      )
      .describe("Each holds until the next; the last for good."),
  })
  .meta({ id: "DunningAnswer" });

export function calculateDunningScheduleRoute(api: ApiInstance): void {
  const options = calculator(question, answer, {
    summary: "What follows a declined charge",
    description:
      "Attempts, notices and states by date, as the dunning of a real invoice would go. An attempt that the customer causes never uses up one of the schedule.",
    refusals: ["dunning_policy_invalid", "dunning_event_too_early"],
  });
  api.post("/v1/calculate/dunning-schedule", options, async ({ body }) => {
    const { failed_at: failedAt, scheduled, events, decline: firstDecline } = body;
    requireSize("events", events.length, eventsMax);
    requireOrder(body);
    const course = calculateDunningSchedule({
      policy: policyOf(body.policy),
      place: { timeZone: body.time_zone, learntHour: body.learnt_hour },
      failedAt,
      decline: firstDecline,
      scheduled,
      events: events as DunningHappening[],
    });
    return {
      outcome: course.outcome,
      ended_at: isoOf(course.endedAt),
      attempts: course.attempts.map(({ number, at, cause, why, outcome: came }) => ({
        number,
        at: isoOf(at),
        cause,
        why,
        status: came.status,
        decline: declineOf(came),
      })),
      notices: course.notices.map(({ at, moment, notice }) => ({ at: isoOf(at), moment, notice })),
      states: course.states.map(({ from, ...state }) => ({ from: isoOf(from), ...state })),
    };
  });
}

const declineOf = (came: ChargeOutcome) => (came.status === "declined" ? came.decline : null);

function policyOf(written: z.output<typeof question>["policy"]): DunningPolicy {
  try {
    return dunningPolicy(parseDunningTerms(renameFields(written, camelCase)));
  } catch (error) {
    if (!(error instanceof CatalogInvalidError)) throw error;
    const [first] = error.issues;
    const path = (first?.path ?? "").replace(/^\./, "");
    throw new RequestRefusedError(
      "dunning_policy_invalid",
      first?.message ?? "",
      `policy.${snakeCase(path)}`,
    );
  }
}

function requireOrder({ failed_at: failedAt, events }: z.output<typeof question>): void {
  const early = events.findIndex(({ at }) => at < failedAt);
  if (early < 0) return;
  throw new RequestRefusedError(
    "dunning_event_too_early",
    "must not be before failed_at, when the dunning begins",
    `events[${early}].at`,
  );
}
