import { z } from "zod";
import { inTransaction, type Tx } from "../../db/database.ts";
import {
  type AccountSums,
  type MonthLine,
  monthlyTrialBalance,
  type TrialBalanceLine,
  trialBalance,
} from "../../db/ledger/ledger-trial-balance.ts";
import { type LedgerSum, sumLedger } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { RequestRefusedError } from "../refusals.ts";
import { currencyInput, currencyText, monthInput, monthText } from "../wire.ts";
import {
  asOfAnswer,
  asOfAnswerFields,
  asOfFields,
  asOfRange,
  balanceMinorText,
  sidesAnswer,
  sidesFields,
  sumsAnswer,
} from "./ledger-wire.ts";

const sumsFields = { ...sidesFields, balance_minor: balanceMinorText };

export const codeLineFields = {
  currency: currencyText,
  code: z.string().meta({ example: "1100" }),
  name: z.string().describe("Of the code, in the chart of accounts."),
};

const trialBalanceSchema = z
  .object({
    month: monthText.optional().describe("As asked for."),
    ...asOfAnswerFields,
    data: z.array(
      z.object({
        ...codeLineFields,
        ...sumsFields,
        opening: z.object(sumsFields).optional().describe("Of a month: before its first instant."),
        movements: z.object(sidesFields).optional().describe("Of a month: what became effective in it."),
      }),
    ),
    totals: z.array(
      z.object({
        currency: currencyText,
        ...sidesFields,
        opening: z.object(sidesFields).optional(),
        movements: z.object(sidesFields).optional(),
        balanced: z.boolean().describe("Whether debits equal credits, in the opening and the movements too."),
      }),
    ),
  })
  .meta({ id: "TrialBalance" });

const trialBalanceQuery = z.strictObject({
  currency: currencyInput.optional(),
  month: monthInput
    .optional()
    .describe(
      "Gives what there was before this month (UTC), what moved in it by effective dates, and what there was at its end.",
    ),
  ...asOfFields,
});

export function ledgerTrialBalanceRoutes(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/ledger/trial-balance",
    {
      config: { scope: "read" },
      schema: {
        tags: ["Ledger"],
        summary:
          "All accounts by currency and code: now, as of an instant, or of a month; debits equal credits",
        querystring: trialBalanceQuery,
        response: { 200: trialBalanceSchema },
      },
    },
    async ({ query }) =>
      inTransaction(db, (tx) => trialBalanceAnswer(tx, query), { isolation: "repeatable read" }),
  );
}

async function trialBalanceAnswer(
  tx: Tx,
  query: z.output<typeof trialBalanceQuery>,
): Promise<z.infer<typeof trialBalanceSchema>> {
  const { month, currency, effective_at: effectiveAt } = query;
  const range = asOfRange(query);
  if (month === undefined) {
    const lines = await trialBalance(tx, currency, range);
    return { ...asOfAnswer(query), data: lines.map(lineAnswer), totals: totalsAnswer(lines) };
  }
  if (effectiveAt !== undefined) {
    const message = "a month ends when it ends: leave one of month and effective_at out";
    throw new RequestRefusedError("request_invalid", message, "effective_at");
  }
  const lines = await monthlyTrialBalance(tx, month, currency, range.recordedBefore);
  return { month, ...asOfAnswer(query), data: lines.map(monthLineAnswer), totals: monthTotalsAnswer(lines) };
}

const lineAnswer = ({ currency, code, name, ...sums }: TrialBalanceLine) => ({
  currency,
  code,
  name,
  ...sumsAnswer(sums),
});

const monthLineAnswer = ({ currency, code, name, opening, movements, closing }: MonthLine) => ({
  currency,
  code,
  name,
  ...sumsAnswer(closing),
  opening: sumsAnswer(opening),
  movements: sidesAnswer(movements),
});

interface OfCurrency {
  readonly currency: string;
}
type Sides = Omit<AccountSums, "balance">;

/** The sides of each currency, and whether they are equal. */
export function totalsAnswer(lines: readonly (OfCurrency & Sides)[]) {
  return [...Map.groupBy(lines, ({ currency }) => currency)].map(([currency, ofCurrency]) => {
    const sums = sidesOf(ofCurrency);
    return { currency, ...sidesAnswer(sums), balanced: isBalanced(sums) };
  });
}

function monthTotalsAnswer(lines: readonly MonthLine[]) {
  return [...Map.groupBy(lines, ({ currency }) => currency)].map(([currency, ofCurrency]) => {
    const opening = sidesOf(ofCurrency.map((line) => line.opening));
    const movements = sidesOf(ofCurrency.map((line) => line.movements));
    const closing = sidesOf(ofCurrency.map((line) => line.closing));
    return {
      currency,
      ...sidesAnswer(closing),
      opening: sidesAnswer(opening),
      movements: sidesAnswer(movements),
      balanced: [opening, movements, closing].every(isBalanced),
    };
  });
}

function sidesOf(lines: readonly Sides[]): { debit: LedgerSum; credit: LedgerSum } {
  return {
    debit: sumLedger(lines.map(({ debit }) => debit)),
    credit: sumLedger(lines.map(({ credit }) => credit)),
  };
}

const isBalanced = ({ debit, credit }: Sides) => debit === credit;
