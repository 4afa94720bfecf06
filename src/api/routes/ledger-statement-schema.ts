import { z } from "zod";
import { isoOf } from "../../domain/calendar/index.ts";
import type { StatementLine } from "../../domain/export/statement-rows.ts";
import { minorText } from "../../domain/money/index.ts";
import { currencyText, decimalText, instantText } from "../wire.ts";
import { balanceMinorText } from "./ledger-wire.ts";

const statementLineSchema = z.object({
  entry: z.string().describe("The journal entry's id."),
  line: z.int().describe("The posting's place in the entry."),
  account: z.string().describe("The account's key."),
  version: z
    .string()
    .describe(
      "Counts all lines of the account from 1 in the order in which they were recorded, without gaps.",
    ),
  kind: z.string().meta({ example: "invoice_issued" }),
  source_key: z.string(),
  cause: z.object({ type: z.string(), id: z.string() }),
  invoice: z.string().nullable(),
  occurred_at: instantText,
  effective_at: instantText,
  recorded_at: instantText,
  amount_minor: decimalText.describe(
    "Minor units, up to eight decimals; negative when it lowers the balance.",
  ),
  balance_minor: balanceMinorText.describe("After this line, of all accounts of the statement."),
});

export const statementSchema = z
  .object({
    customer: z.string(),
    account: z.enum(["receivable", "balance", "credits"]),
    grant: z.string().nullable(),
    currency: currencyText,
    by: z.enum(["effective", "recorded"]),
    from: instantText.nullable(),
    to: instantText.nullable(),
    opening_minor: balanceMinorText,
    closing_minor: balanceMinorText,
    data: z.array(statementLineSchema),
  })
  .meta({ id: "Statement" });

export function statementLineAnswer(line: StatementLine): z.infer<typeof statementLineSchema> {
  return {
    entry: line.entryId.toString(),
    line: line.line,
    account: line.account,
    version: line.version.toString(),
    kind: line.kind,
    source_key: line.sourceKey,
    cause: line.cause,
    invoice: line.invoiceId,
    occurred_at: isoOf(line.occurredAt),
    effective_at: isoOf(line.effectiveAt),
    recorded_at: isoOf(line.recordedAt),
    amount_minor: minorText(line.change),
    balance_minor: minorText(line.balance),
  };
}
