import { z } from "zod";
import { isoOf } from "../../domain/calendar/index.ts";
import { accountKey, type JournalEntry } from "../../domain/ledger/index.ts";
import { minorText } from "../../domain/money/index.ts";
import { currencyText, decimalText, instantText } from "../wire.ts";

const postingSchema = z
  .object({
    debit: z.string().describe("The account, by its key.").meta({ example: "1100/usd/customer=acme" }),
    credit: z.string(),
    amount_minor: decimalText.describe("Minor units with up to eight decimals; always positive."),
  })
  .meta({ id: "Posting" });

export const entrySchema = z
  .object({
    id: z.string(),
    kind: z.string().meta({ example: "invoice_issued" }),
    source_key: z.string().describe("The business fact behind the entry: it is booked once, for ever."),
    actor: z.string().describe("Who caused the entry.").meta({ example: "api-key/key_1" }),
    customer: z.string().nullable(),
    cause: z.object({ type: z.string(), id: z.string() }),
    currency: currencyText,
    occurred_at: instantText,
    effective_at: instantText,
    recorded_at: instantText,
    reverses: z.string().nullable().describe("The entry that this one undoes."),
    metadata: z.record(z.string(), z.string()).describe("What it is about, such as `invoice_id`."),
    postings: z.array(postingSchema),
  })
  .meta({ id: "JournalEntry" });

/** A journal entry as it is answered. */
export function entryAnswer(entry: JournalEntry): z.infer<typeof entrySchema> {
  return {
    id: entry.id.toString(),
    kind: entry.kind,
    source_key: entry.sourceKey,
    actor: entry.actor,
    customer: entry.customerId ?? null,
    cause: entry.cause,
    currency: entry.currency,
    occurred_at: isoOf(entry.occurredAt),
    effective_at: isoOf(entry.effectiveAt),
    recorded_at: isoOf(entry.recordedAt),
    reverses: entry.reverses?.toString() ?? null,
    metadata: entry.metadata,
    postings: entry.postings.map(({ debit, credit, amount }) => ({
      debit: accountKey(debit),
      credit: accountKey(credit),
      amount_minor: minorText(amount),
    })),
  };
}
