import { z } from "zod";
import { listPayouts, type StoredPayout } from "../../db/billing/payouts.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { minorText as exactMinor, ledgerAmountAtStripe } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { currencyText, decimalText, instantText } from "../wire.ts";

const payoutSchema = z
  .object({
    id: z.string().describe("Stripe's."),
    status: z.string().describe("Stripe's word: `pending`, `in_transit`, `paid`, `failed`, `canceled`."),
    currency: currencyText,
    amount_minor: decimalText,
    is_automatic: z.boolean(),
    created_at: instantText,
    arrives_at: instantText,
    failure_code: z.string().nullable(),
  })
  .meta({ id: "Payout" });

/** What Stripe pays out to our bank. */
export function payoutRoutes(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/payouts",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags: ["Payouts"],
        summary: "List payouts to our bank, the newest first",
        querystring: pageQuery,
        response: { 200: listOf(payoutSchema) },
      },
    },
    async ({ query }) => {
      const page = await listPayouts(db.orm, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, payoutAnswer);
    },
  );
}

function payoutAnswer(payout: StoredPayout): z.infer<typeof payoutSchema> {
  return {
    id: payout.id,
    status: payout.status,
    currency: payout.currency,
    amount_minor: exactMinor(ledgerAmountAtStripe(payout.amount, payout.currency)),
    is_automatic: payout.isAutomatic,
    created_at: isoOf(payout.createdAt),
    arrives_at: isoOf(payout.arrivesAt),
    failure_code: payout.failureCode,
  };
}
