import { z } from "zod";
import { type ChargeOutcome, calculateDunningSchedule } from "../../domain/calculators/index.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { RequestRefusedError } from "../refusals.ts";
import { instantInput, instantText } from "../wire.ts";
import { calculator, listInput, requireSize } from "./calculate-wire.ts";

const eventsMax = 100;

const days = z.int().min(1).max(365);
const decline = z
  .enum(["soft", "hard", "authentication"])
  .describe(
    "`soft`: the same card may succeed later; `hard`: never; `authentication`: the cardholder must act.",
  );

const paid = z.strictObject({ status: z.literal("paid") });
const declined = z.strictObject({ status: z.literal("declined"), decline: decline.default("soft") });
const outcome = z.discriminatedUnion("status", [paid, declined]).meta({ id: "ChargeOutcome" });

const question = z
  .strictObject({
    policy: z.strictObject({
      retry_after_days: z
        .array(days)
        .max(15)
        .default([3, 5, 7])
        .describe("Days after the first failed charge."),
      final_action: z.enum(["cancel", "uncollectible", "pause"]).default("cancel"),
      access_grace_days: z.int().min(0).max(365).default(7),
    }),
    failed_at: instantInput.describe("When the first charge was declined."),
    decline: decline.default("soft"),
    scheduled: listInput(outcome, 15)
      .default([])
      .describe("What the attempts of the schedule come to, in order; where none is given, a soft decline."),
    events: listInput(
      z.discriminatedUnion("type", [
        z.strictObject({ type: z.literal("new_payment_method"), at: instantInput, outcome }),
        z.strictObject({ type: z.enum(["paid", "voided"]), at: instantInput }),
      ]),
      eventsMax,
    )
      .default([])
      .describe("What the customer or an operator does meanwhile. A new payment method is charged at once."),
  })
  .meta({ id: "DunningQuestion" });

const answer = z
  .object({
    outcome: z.enum(["recovered", "closed", "exhausted"]),
    ended_at: instantText,
    attempts: z.array(
      z.object({
        number: z.int(),
        at: instantText,
        cause: z.enum(["first_charge", "schedule", "new_payment_method"]),
        status: z.enum(["paid", "declined"]),
        decline: decline.nullable(),
      }),
    ),
    states: z
      .array(
        z.object({
          from: instantText,
          invoice: z.enum(["open", "paid", "void", "uncollectible"]),
          dunning: z.enum(["retrying", "awaiting_payment_method", "recovered", "closed", "exhausted"]),
          subscription: z.enum(["past_due", "active", "canceled", "paused"]),
          access: z.enum(["granted", "ended"]),
        }),
      )
      .describe("Each holds until the next; the last for good."),
  })
  .meta({ id: "DunningAnswer" });

export function calculateDunningScheduleRoute(api: ApiInstance): void {
  const options = calculator(question, answer, {
    summary: "What follows a declined charge",
    description:
      "Attempts and states by date, as the dunning of a real invoice would go. An attempt that the customer causes never uses up one of the schedule.",
    refusals: ["dunning_policy_invalid", "dunning_event_too_early"],
  });
  api.post("/v1/calculate/dunning-schedule", options, async ({ body }) => {
    const { policy, failed_at: failedAt, scheduled, events } = body;
    requireSize("events", events.length, eventsMax);
    requireOrder(body);
    const course = calculateDunningSchedule({
      policy: {
        retryAfterDays: policy.retry_after_days,
        finalAction: policy.final_action,
        accessGraceDays: policy.access_grace_days,
      },
      failedAt,
      decline: body.decline,
      scheduled,
      events,
    });
    return {
      outcome: course.outcome,
      ended_at: isoOf(course.endedAt),
      attempts: course.attempts.map(({ number, at, cause, outcome: came }) => ({
        number,
        at: isoOf(at),
        cause,
        status: came.status,
        decline: declineOf(came),
      })),
      states: course.states.map(({ from, ...state }) => ({ from: isoOf(from), ...state })),
    };
  });
}

const declineOf = (came: ChargeOutcome) => (came.status === "declined" ? came.decline : null);

function requireOrder({ policy, failed_at: failedAt, events }: z.output<typeof question>): void {
  for (const [index, day] of policy.retry_after_days.entries()) {
    if (day > (policy.retry_after_days[index - 1] ?? 0)) continue;
    const field = `policy.retry_after_days[${index}]`;
    throw new RequestRefusedError("dunning_policy_invalid", "must be later than the retry before it", field);
  }
  const early = events.findIndex(({ at }) => at < failedAt);
  if (early < 0) return;
  throw new RequestRefusedError(
    "dunning_event_too_early",
    "must not be before failed_at, when the dunning begins",
    `events[${early}].at`,
  );
}
