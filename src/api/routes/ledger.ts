import { z } from "zod";
import { findCustomer } from "../../db/customers.ts";
import { customerBalances, entriesOfCustomer, type TrialBalanceLine, trialBalance } from "../../db/ledger.ts";
import { exactOfLedgerAmount, type LedgerAmount, ledgerAmount } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { byNumber, listAnswer, listOf, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { currencyInput, currencyText, decimalText, idParams } from "../wire.ts";
import { entryAnswer, entrySchema } from "./entries.ts";

const amounts = {
  debit_minor: decimalText.describe("Minor units with up to eight decimals."),
  credit_minor: decimalText,
};
const balanceMinor = decimalText.describe("Positive on the account's normal side.");

const trialBalanceSchema = z
  .object({
    data: z.array(
      z.object({
        currency: currencyText,
        code: z.string(),
        name: z.string(),
        ...amounts,
        balance_minor: balanceMinor,
      }),
    ),
    totals: z.array(z.object({ currency: currencyText, ...amounts, balanced: z.boolean() })),
  })
  .meta({ id: "TrialBalance" });

const accountBalanceSchema = z
  .object({
    account: z.string().describe("The account's key.").meta({ example: "1100/usd/customer=acme" }),
    name: z.string(),
    currency: currencyText,
    ...amounts,
    balance_minor: balanceMinor,
  })
  .meta({ id: "AccountBalance" });

const tags = ["Ledger"];

export function ledgerRoutes(api: ApiInstance, deps: ApiDependencies): void {
  getTrialBalance(api, deps);
  getCustomerEntries(api, deps);
  getCustomerBalances(api, deps);
}

function getTrialBalance(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/ledger/trial-balance",
    {
      config: { scope: "read" },
      schema: {
        tags,
        summary: "All accounts by code and currency; debits equal credits",
        querystring: z.strictObject({ currency: currencyInput.optional() }),
        response: { 200: trialBalanceSchema },
      },
    },
    async ({ query: { currency } }) => {
      const lines = await trialBalance(db.orm, currency);
      return {
        data: lines.map(({ currency, code, name, debit, credit, balance }) => {
          return {
            currency,
            code,
            name,
            ...amountsAnswer({ debit, credit }),
            balance_minor: minorOf(balance),
          };
        }),
        totals: totalsOf(lines),
      };
    },
  );
}

function totalsOf(lines: readonly TrialBalanceLine[]) {
  const byCurrency = Map.groupBy(lines, ({ currency }) => currency);
  return [...byCurrency].map(([currency, ofCurrency]) => {
    const debit = ofCurrency.reduce((sum, line) => ledgerAmount(sum + line.debit), ledgerAmount(0n));
    const credit = ofCurrency.reduce((sum, line) => ledgerAmount(sum + line.credit), ledgerAmount(0n));
    return { currency, ...amountsAnswer({ debit, credit }), balanced: debit === credit };
  });
}

function getCustomerEntries(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/customers/:id/entries",
    {
      config: { scope: "read", refusals: ["customer_not_found", "cursor_invalid"] },
      schema: {
        tags,
        summary: "A customer's journal entries, the newest first",
        params: idParams,
        querystring: pageQuery,
        response: { 200: listOf(entrySchema) },
      },
    },
    async ({ params: { id }, query }) => {
      found(await findCustomer(db.orm, id), "customer", id);
      const page = await entriesOfCustomer(db.orm, id, pageRequest(query, byNumber));
      return listAnswer(page, byNumber, entryAnswer);
    },
  );
}

function getCustomerBalances(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/customers/:id/balances",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "The balances of all accounts of a customer",
        params: idParams,
        response: { 200: listOf(accountBalanceSchema) },
      },
    },
    async ({ params: { id } }) => {
      found(await findCustomer(db.orm, id), "customer", id);
      const balances = await customerBalances(db.orm, id);
      const data = balances.map(({ account: { currency }, key, name, debit, credit, balance }) => {
        return {
          account: key,
          name,
          currency,
          ...amountsAnswer({ debit, credit }),
          balance_minor: minorOf(balance),
        };
      });
      return { data, next_cursor: null };
    },
  );
}

function amountsAnswer({ debit, credit }: { debit: LedgerAmount; credit: LedgerAmount }) {
  return { debit_minor: minorOf(debit), credit_minor: minorOf(credit) };
}

const minorOf = (amount: LedgerAmount) => exactOfLedgerAmount(amount).text;
