import { z } from "zod";
import { type StoredCorrection, usageCorrectionStatuses } from "../../db/usage/correction-reads.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import {
  type UsageCorrectionReason,
  usageCorrectionKinds,
  usageCorrectionReasons,
} from "../../domain/corrections/index.ts";
import { instantText, isoOrNull, textInput } from "../wire.ts";
import { actorText, decisionSchema } from "./decisions-wire.ts";

export const usageCorrectionSchema = z
  .object({
    id: z.string(),
    kind: z.enum(usageCorrectionKinds),
    status: z.enum(usageCorrectionStatuses).describe("It counts once it is `executed`; a decision is final."),
    backfill: z
      .string()
      .nullable()
      .describe("The backfill that it takes back; null when it names its events."),
    event_count: z.number().int(),
    reason_code: z.enum(usageCorrectionReasons),
    note: z.string().nullable(),
    requested_by: actorText,
    requested_at: instantText,
    effective_at: instantText.nullable().describe("When it was executed; null as long as it is not."),
    approval: z
      .object({
        limit: z.number().int().describe("How many events one key may correct within 24 hours by itself."),
        counted: z
          .number()
          .int()
          .describe("Its events, with those that the same key corrected in the 24 hours before, by itself."),
        changes_billed: z.boolean().describe("Whether one of the events is in a period that has been rated."),
        needed: z
          .boolean()
          .describe("Whether another key must agree: above the limit, or when it changes what was billed."),
      })
      .describe("As it was when it was asked for."),
    decision: decisionSchema,
  })
  .meta({ id: "UsageCorrection" });

/** What every request says beside what is to change. */
export const correctionReasonFields = {
  reason_code: z
    .enum(usageCorrectionReasons)
    .describe(
      "Why, as it is counted later. `other` is explained in `note`; with the others words are welcome.",
    ),
  note: textInput(500).optional(),
};

export interface CorrectionReasonInput {
  readonly reason_code: UsageCorrectionReason;
  readonly note?: string | undefined;
}

/** For `superRefine`, on every body with these fields. */
export function otherHasNote(
  { reason_code: code, note }: CorrectionReasonInput,
  context: z.RefinementCtx,
): void {
  if (code !== "other" || note !== undefined) return;
  context.addIssue({ code: "custom", path: ["note"], message: 'is required with the reason code "other"' });
}

export function correctionAnswer(stored: StoredCorrection): z.infer<typeof usageCorrectionSchema> {
  const { outcome, decidedBy, decidedAt } = stored;
  return {
    id: stored.id,
    kind: stored.kind,
    status: stored.status,
    backfill: stored.backfillId,
    event_count: Number(stored.eventCount),
    reason_code: stored.reasonCode,
    note: stored.note,
    requested_by: stored.requestedBy,
    requested_at: isoOf(stored.requestedAt),
    effective_at: isoOrNull(stored.bookedAt),
    approval: {
      limit: Number(stored.unapprovedMax),
      counted: Number(stored.eventCount + stored.unapprovedBefore),
      changes_billed: stored.changesBilled,
      needed: stored.needsApproval,
    },
    decision:
      outcome === null || decidedBy === null || decidedAt === null
        ? null
        : { outcome, decided_by: decidedBy, decided_at: isoOf(decidedAt), note: stored.decisionNote },
  };
}
