import { z } from "zod";
import type { Instant } from "../../domain/calendar/index.ts";
import {
  burnOrders,
  type CreditGrant,
  earlierUsages,
  type GrantScope,
  usualCreditPolicy,
} from "../../domain/credits/index.ts";
import { type Currency, decimal, type LedgerAmount, ledgerAmountOfExact } from "../../domain/money/index.ts";
import { instantInput } from "../wire.ts";

/** Credit in questions to the calculators. */

/** Minor units with as many decimals as the ledger has. */
export const creditInput = z
  .string()
  .regex(/^\d{1,16}(\.\d{1,8})?$/, {
    error: 'must be minor units as text, zero or more, such as "1250" for 12.50 USD',
  })
  .transform((text): LedgerAmount => ledgerAmountOfExact(decimal(text)))
  .describe("Minor units, with up to 8 decimals.")
  .meta({ example: "1250" });

const names = z.array(z.string().min(1).max(100)).min(1).max(100);

export const grantFields = {
  id: z.string().min(1).max(100),
  kind: z.enum(["paid", "promotional", "goodwill"]).default("promotional"),
  priority: z.int().min(0).max(100).default(50).describe("Low is spent first."),
  amount_minor: creditInput,
  effective_at: instantInput.optional().describe("As long ago as need be when left out."),
  expires_at: instantInput
    .nullable()
    .default(null)
    .describe("The first instant at which it cannot be spent."),
};

/** What a grant may pay: everything when left out. */
export const namesInput = names.optional();

export const burnOrderInput = z
  .enum(Object.keys(burnOrders) as [keyof typeof burnOrders])
  .default(usualCreditPolicy.burnOrder);

export const earlierUsageInput = z
  .enum(earlierUsages)
  .default(usualCreditPolicy.earlierUsage)
  .describe("Whether a grant pays for usage from before it took effect.");

interface WrittenGrant {
  readonly id: string;
  readonly kind: CreditGrant["kind"];
  readonly priority: number;
  readonly amount_minor: LedgerAmount;
  readonly effective_at?: Instant | undefined;
  readonly expires_at: Instant | null;
}

/** @param earliest when grants took effect that do not say */
export function grantOf(
  written: WrittenGrant,
  scope: GrantScope,
  currency: Currency,
  earliest: Instant,
): CreditGrant {
  const { id, kind, priority, amount_minor: remaining, effective_at: effectiveAt = earliest } = written;
  return {
    id,
    kind,
    priority,
    remaining,
    effectiveAt,
    expiresAt: written.expires_at,
    createdAt: effectiveAt,
    currency,
    // Nothing is named: everything may be paid.
    ...(scope.length === 0 ? {} : { scope }),
  };
}
