import { z } from "zod";
import { type CreditGrantStanding, findCreditGrant } from "../../db/billing/api-reads.ts";
import { reasonCodes } from "../../domain/adjustments/index.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { exactOfLedgerAmount } from "../../domain/money/index.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { currencyText, decimalText, instantText, isoOrNull, minorText } from "../wire.ts";

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
    amount_minor: minorText.describe("What it began with."),
    adjusted_minor: decimalText.describe("What adjustments have added; negative: what they have taken."),
    remaining_minor: decimalText.describe(
      "Minor units that are left; exact, because usage draws fractions of a cent.",
    ),
    priority: z.int(),
    effective_at: instantText,
    expires_at: instantText.nullable(),
    voided_at: instantText.nullable(),
    invoice: z.string().nullable().describe("The invoice it was bought with."),
    reason_code: z.enum(reasonCodes).nullable().describe("Why it was given; null when it was bought."),
    reason: z.string().nullable(),
    created_at: instantText,
  })
  .meta({ id: "CreditGrant" });

type CreditGrantAnswer = z.infer<typeof creditGrantSchema>;

/** A grant as it stands now, by its customer's clock. */
export async function answerForGrant(id: string, deps: ApiDependencies): Promise<CreditGrantAnswer> {
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
    amount_minor: grant.amountMinor.toString(),
    adjusted_minor: exactOfLedgerAmount(grant.adjusted).text,
    remaining_minor: exactOfLedgerAmount(grant.remaining).text,
    priority,
    effective_at: isoOf(grant.effectiveAt),
    expires_at: isoOrNull(grant.expiresAt),
    voided_at: isoOrNull(grant.voidedAt),
    invoice: invoiceId,
    reason_code: reasonCode,
    reason,
    created_at: isoOf(grant.createdAt),
  };
}

function statusOf(grant: CreditGrantStanding, now: Instant): CreditGrantAnswer["status"] {
  const { invoiceStatus, remaining, effectiveAt, expiresAt, voidedAt } = grant;
  if (voidedAt !== null) return "voided";
  if (invoiceStatus === "void" || invoiceStatus === "uncollectible") return "canceled";
  if (invoiceStatus === "open" || effectiveAt > now) return "pending";
  if (expiresAt !== null && expiresAt <= now) return "expired";
  return remaining === 0n ? "used_up" : "active";
}
