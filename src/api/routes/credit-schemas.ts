import { z } from "zod";
import { type CreditGrantStanding, findCreditGrant } from "../../db/billing/api-reads.ts";
import { amountOfGrant } from "../../db/billing/credit-grants.ts";
import { reasonCodes } from "../../domain/adjustments/index.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { exactOfLedgerAmount } from "../../domain/money/index.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { currencyText, decimalText, instantText, isoOrNull } from "../wire.ts";
import { scopeAnswer, scopeSchema } from "./credit-scope.ts";

export const creditGrantSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    kind: z.enum(["paid", "promotional", "goodwill"]),
    status: z
      .enum(["pending", "active", "used_up", "expired", "canceled", "voided"])
      .describe(
        "`pending` until the invoice it was bought with is paid, or until it takes effect; `canceled` when that invoice " +
          "was given up; `voided` when it was taken back, which is final.",
      ),
    currency: currencyText,
    amount_minor: decimalText.describe("What it began with; exact, for what was left over of another."),
    adjusted_minor: decimalText.describe("What adjustments have added; negative: what they have taken."),
    remaining_minor: decimalText.describe(
      "Minor units that are left; exact, because usage draws fractions of a cent.",
    ),
    priority: z.int(),
    scope: scopeSchema,
    effective_at: instantText,
    expires_at: instantText.nullable(),
    voided_at: instantText.nullable(),
    invoice: z.string().nullable().describe("The invoice it was bought with."),
    reason_code: z
      .enum(reasonCodes)
      .nullable()
      .describe("Why it was given; null when it was bought, or given again and again."),
    reason: z.string().nullable(),
    recurring_grant: z.string().nullable().describe("What it is given by again and again."),
    occurrence: z.int().nullable().describe("Which time that was, or went over to, from 0."),
    rolled_over_from: z.string().nullable().describe("The grant that it was left over from."),
    end: z
      .object({
        cause: z.enum(["expired", "capped"]),
        held_minor: decimalText.describe("What was left."),
        rolled_over_minor: decimalText.describe("How much of that went over; the rest was lost."),
        ended_at: instantText,
      })
      .nullable()
      .describe(
        "Null as long as usage from before its expiry may still be billed: until then it pays for that.",
      ),
    created_at: instantText,
  })
  .meta({ id: "CreditGrant" });

type CreditGrantAnswer = z.infer<typeof creditGrantSchema>;

/** A grant as it stands now, by its customer's clock. */
export async function answerForGrant(
  id: string,
  deps: Pick<ApiDependencies, "db" | "now">,
): Promise<CreditGrantAnswer> {
  const grant = found(await findCreditGrant(deps.db.orm, id), "credit_grant", id);
  return creditGrantAnswer(grant, await timeOfCustomer(deps, grant.customerId));
}

export function creditGrantAnswer(grant: CreditGrantStanding, now: Instant): CreditGrantAnswer {
  const { id, customerId, kind, currency, priority, invoiceId, reasonCode, reason } = grant;
  return {
    id,
    customer: customerId,
    kind,
    status: statusOf(grant, now),
    currency,
    amount_minor: exactOfLedgerAmount(amountOfGrant(grant)).text,
    adjusted_minor: exactOfLedgerAmount(grant.adjusted).text,
    remaining_minor: exactOfLedgerAmount(grant.remaining).text,
    priority,
    scope: scopeAnswer(grant.scope),
    effective_at: isoOf(grant.effectiveAt),
    expires_at: isoOrNull(grant.expiresAt),
    voided_at: isoOrNull(grant.voidedAt),
    invoice: invoiceId,
    reason_code: reasonCode,
    reason,
    recurring_grant: grant.recurringGrantId,
    occurrence: grant.occurrence,
    rolled_over_from: grant.rolledOverFrom,
    end: grant.ended === null ? null : endAnswer(grant.ended),
    created_at: isoOf(grant.createdAt),
  };
}

function endAnswer({ cause, held, rolledOver, endedAt }: NonNullable<CreditGrantStanding["ended"]>) {
  return {
    cause,
    held_minor: exactOfLedgerAmount(held).text,
    rolled_over_minor: exactOfLedgerAmount(rolledOver).text,
    ended_at: isoOf(endedAt),
  };
}

function statusOf(grant: CreditGrantStanding, now: Instant): CreditGrantAnswer["status"] {
  const { invoiceStatus, remaining, effectiveAt, expiresAt, voidedAt, ended } = grant;
  if (voidedAt !== null) return "voided";
  if (invoiceStatus === "void" || invoiceStatus === "uncollectible") return "canceled";
  if (invoiceStatus === "open" || effectiveAt > now) return "pending";
  if (ended !== null || (expiresAt !== null && expiresAt <= now)) return "expired";
  return remaining === 0n ? "used_up" : "active";
}
