import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { adjustmentStatuses, findAdjustment, type StoredAdjustment } from "../../db/ledger/adjustments.ts";
import { adjustmentKinds, type ReasonCode, reasonCodes } from "../../domain/adjustments/index.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { exactOfLedgerAmount, ledgerAmount } from "../../domain/money/index.ts";
import type { AdjustmentRequest, ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { found } from "../refusals.ts";
import { currencyText, decimalText, instantText, isoOrNull, minorText, textInput } from "../wire.ts";
import { actorText, decisionSchema } from "./decisions-wire.ts";

export const adjustmentSchema = z
  .object({
    id: z.string(),
    kind: z.enum(adjustmentKinds),
    status: z
      .enum(adjustmentStatuses)
      .describe("Nothing is booked before it is `executed`; a decision is final."),
    customer: z.string(),
    credit_grant: z
      .string()
      .nullable()
      .describe("The grant that it makes, changes or voids; null when it is about the customer's balance."),
    currency: currencyText,
    change_minor: decimalText.describe("What the customer gets; negative: what is taken back."),
    reason_code: z.enum(reasonCodes),
    reason: z.string().nullable(),
    requested_by: actorText,
    requested_at: instantText,
    effective_at: instantText.nullable().describe("When it was executed; null as long as it is not."),
    approval: z
      .object({
        limit_minor: minorText.nullable().describe("Null: in this currency somebody else must always agree."),
        counted_minor: decimalText.describe(
          "The change, with what the same key gave to the customer or took from him in the 24 hours before, by itself, of any kind.",
        ),
        needed: z.boolean().describe("Whether what counts is above the limit."),
      })
      .describe("The limit when it was asked for, and what counted towards it."),
    decision: decisionSchema,
  })
  .meta({ id: "Adjustment" });

/** What every request for an adjustment says beside what is to change. */
export const reasonFields = {
  reason_code: z
    .enum(reasonCodes)
    .describe(
      "Why, as it is counted later. `other` is explained in `reason`; with the others words are welcome.",
    ),
  reason: textInput(500).optional(),
};

export interface Reason {
  readonly reason_code: ReasonCode;
  readonly reason?: string | undefined;
}

/** For `superRefine`, on every body with these fields. */
export function otherIsExplained({ reason_code: code, reason }: Reason, context: z.RefinementCtx): void {
  if (code !== "other" || reason !== undefined) return;
  context.addIssue({
    code: "custom",
    path: ["reason"],
    message: 'is required with the reason code "other"',
  });
}

export const changeMinorInput = z
  .string()
  .regex(/^-?[1-9]\d{0,15}$/, {
    error: 'must be a whole number of minor units as a text: "1250" to give 12.50 USD, "-1250" to take them',
  })
  .transform(BigInt)
  .describe("Whole minor units that the customer gets; negative: that are taken back.");

/** Asks for an adjustment, and gives it as it stands after that: executed, or waiting for somebody else. */
export async function requestAdjustment(
  request: FastifyRequest,
  deps: ApiDependencies,
  { reason_code: reasonCode, reason }: Reason,
  asked: Pick<AdjustmentRequest, "customerId" | "currency" | "correction">,
): Promise<StoredAdjustment> {
  const id = newId(request, "adj");
  await deps.adjustments.request({ ...asked, id, reasonCode, reason: reason ?? null }, contextOf(request));
  return found(await findAdjustment(deps.db.orm, id), "adjustment", id);
}

export function adjustmentAnswer(stored: StoredAdjustment): z.infer<typeof adjustmentSchema> {
  const { change, unapprovedBefore, outcome, decidedBy, decidedAt, note } = stored;
  const counted = ledgerAmount((change < 0n ? -change : change) + unapprovedBefore);
  return {
    id: stored.id,
    kind: stored.kind,
    status: stored.status,
    customer: stored.customerId,
    credit_grant: stored.grantId,
    currency: stored.currency,
    change_minor: exactOfLedgerAmount(change).text,
    reason_code: stored.reasonCode,
    reason: stored.reason,
    requested_by: stored.requestedBy,
    requested_at: isoOf(stored.requestedAt),
    effective_at: isoOrNull(stored.effectiveAt),
    approval: {
      limit_minor: stored.approvalLimitMinor?.toString() ?? null,
      counted_minor: exactOfLedgerAmount(counted).text,
      needed: stored.needsApproval,
    },
    decision:
      outcome === null || decidedBy === null || decidedAt === null
        ? null
        : { outcome, decided_by: decidedBy, decided_at: isoOf(decidedAt), note },
  };
}
