import { z } from "zod";
import type { StoredRecurring } from "../../db/billing/recurring-grants.ts";
import { reasonCodes } from "../../domain/adjustments/index.ts";
import { type Instant, intervalUnits, isoOf } from "../../domain/calendar/index.ts";
import { currencyText, instantText, isoOrNull, minorText } from "../wire.ts";
import { scopeAnswer, scopeSchema } from "./credit-scope.ts";
import { actorText, decisionSchema } from "./decisions-wire.ts";

export const recurringGrantSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    status: z
      .enum(["pending_approval", "rejected", "withdrawn", "active", "ended", "finished"])
      .describe("`ended` by somebody; `finished` when its last time has been given."),
    currency: currencyText,
    amount_minor: minorText.describe("What is given each time."),
    priority: z.int(),
    scope: scopeSchema,
    anchor: instantText.describe("Where its instants are counted from."),
    interval: z.object({ unit: z.enum(intervalUnits), count: z.int() }),
    time_zone: z.string().describe("Whose calendar it is."),
    first: z.enum(["at_once", "at_instant"]),
    effective_at: instantText,
    expires_at: instantText.nullable(),
    rollover: z
      .object({
        min_minor: minorText,
        max_minor: minorText,
        cap_minor: minorText.nullable(),
        lifetime_months: z.int().nullable(),
      })
      .nullable()
      .describe("What goes over to the next time; null: nothing does."),
    total_minor: minorText.nullable().describe("All that it can come to; null without an end."),
    next_at: instantText.nullable().describe("When it is given next; null when it is not."),
    given: z.int().describe("How many times have come."),
    reason_code: z.enum(reasonCodes),
    reason: z.string().nullable(),
    requested_by: actorText,
    requested_at: instantText,
    approval: z.object({
      limit_minor: minorText.nullable().describe("Null: in this currency somebody else must always agree."),
      needed: z.boolean().describe("Whether its total is above the limit; without an end it always is."),
    }),
    decision: decisionSchema,
    end: z
      .object({ ended_by: actorText, ended_at: instantText, reason: z.string().nullable() })
      .nullable()
      .describe("Who ended it before its time."),
  })
  .meta({ id: "RecurringCreditGrant" });

export function recurringGrantAnswer(
  stored: StoredRecurring,
  now: Instant,
): z.infer<typeof recurringGrantSchema> {
  return {
    id: stored.id,
    customer: stored.customerId,
    status: stored.status === "active" && stored.nextAt === null ? finished(stored, now) : stored.status,
    currency: stored.currency,
    amount_minor: stored.amountMinor.toString(),
    priority: stored.priority,
    scope: scopeAnswer(stored.scope),
    anchor: isoOf(stored.anchorAt),
    interval: { unit: stored.intervalUnit, count: stored.intervalCount },
    time_zone: stored.timeZone,
    first: stored.first,
    effective_at: isoOf(stored.effectiveAt),
    expires_at: isoOrNull(stored.expiresAt),
    rollover: rolloverAnswer(stored),
    total_minor: stored.totalMinor?.toString() ?? null,
    next_at: stored.status === "active" ? isoOrNull(stored.nextAt) : null,
    given: stored.nextOccurrence,
    reason_code: stored.reasonCode,
    reason: stored.reason,
    requested_by: stored.requestedBy,
    requested_at: isoOf(stored.requestedAt),
    approval: {
      limit_minor: stored.approvalLimitMinor?.toString() ?? null,
      needed: stored.needsApproval,
    },
    ...decidedAnswer(stored),
  };
}

function finished({ expiresAt }: StoredRecurring, now: Instant): "active" | "finished" {
  return expiresAt !== null && expiresAt <= now ? "finished" : "active";
}

function rolloverAnswer({
  rolloverMinMinor: min,
  rolloverMaxMinor: max,
  rolloverCapMinor: cap,
  rolloverMonths,
}: StoredRecurring) {
  if (min === null || max === null) return null;
  return {
    min_minor: min.toString(),
    max_minor: max.toString(),
    cap_minor: cap?.toString() ?? null,
    lifetime_months: rolloverMonths,
  };
}

function decidedAnswer(stored: StoredRecurring) {
  const { outcome, decidedBy, decidedAt, note, endedBy, endedAt, endReason } = stored;
  return {
    decision:
      outcome === null || decidedBy === null || decidedAt === null
        ? null
        : { outcome, decided_by: decidedBy, decided_at: isoOf(decidedAt), note },
    end:
      endedBy === null || endedAt === null
        ? null
        : { ended_by: endedBy, ended_at: isoOf(endedAt), reason: endReason },
  };
}
