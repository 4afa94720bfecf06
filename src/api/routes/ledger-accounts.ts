import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import {
  accountsOfCustomer,
  findAccount,
  type LedgerAccount,
  listAccounts,
} from "../../db/ledger/ledger-accounts.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { type AccountCode, chartOfAccounts } from "../../domain/ledger/index.ts";
import { ledgerSum, minorText } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { byNumber, listAnswer, listOf, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { currencyInput, currencyText, idInput, idParams, instantText, textInput } from "../wire.ts";
import {
  asOfFields,
  asOfRange,
  balanceMinorText,
  exactMinorText,
  numericIdParams,
  sidesFields,
  sumsAnswer,
} from "./ledger-wire.ts";

const accountBalanceFields = {
  account: z.string().describe("The account's key.").meta({ example: "1100/usd/customer=acme" }),
  name: z.string().describe("Of its code, in the chart of accounts."),
  currency: currencyText,
  ...sidesFields,
  balance_minor: balanceMinorText,
  held_minor: exactMinorText
    .nullable()
    .describe("What running requests have reserved of the balance; null as of an instant."),
  available_minor: exactMinorText
    .nullable()
    .describe("The balance less what is reserved of it; null as of an instant."),
  version: z
    .string()
    .nullable()
    .describe(
      "How many postings the balance counts; null with `effective_at`, because postings are counted as they are recorded.",
    ),
};

const accountBalanceSchema = z.object(accountBalanceFields).meta({ id: "AccountBalance" });

const accountSchema = z
  .object({
    id: z.string(),
    ...accountBalanceFields,
    code: z.string().meta({ example: "1100" }),
    class: z.string().meta({ example: "asset" }),
    normal_side: z.enum(["debit", "credit"]).describe("The side that increases the account."),
    customer: z.string().nullable(),
    floor_minor: exactMinorText.nullable().describe("The least the balance may be; null: no limit."),
    keeps_statement: z.boolean().describe("Whether each posting is kept as a line with a number of its own."),
    opened_at: instantText,
  })
  .meta({ id: "LedgerAccount" });

export const accountCodeInput = z
  .enum(Object.keys(chartOfAccounts) as [AccountCode, ...AccountCode[]])
  .describe("A code of the chart of accounts.");

const tags = ["Ledger"];

export function ledgerAccountRoutes(api: ApiInstance, deps: ApiDependencies): void {
  getAccounts(api, deps);
  getAccount(api, deps);
  getCustomerBalances(api, deps);
}

const accountsQuery = pageQuery.extend({
  code: accountCodeInput.optional(),
  currency: currencyInput.optional(),
  customer: idInput.optional(),
  key: textInput(1_000).optional().describe("The key of one account."),
});

function getAccounts(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/ledger/accounts",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List accounts with their balances now, in the order in which they were opened",
        querystring: accountsQuery,
        response: { 200: listOf(accountSchema) },
      },
    },
    async ({ query }) => {
      const { code, currency, customer: customerId, key } = query;
      const filter = { code, currency, customerId, key };
      return listAnswer(
        await listAccounts(db.orm, filter, pageRequest(query, byNumber)),
        byNumber,
        accountAnswer,
      );
    },
  );
}

function getAccount(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/ledger/accounts/:id",
    {
      config: { scope: "read", refusals: ["ledger_account_not_found"] },
      schema: {
        tags,
        summary: "An account with its balance, now or as of an instant",
        params: numericIdParams,
        querystring: z.strictObject(asOfFields),
        response: { 200: accountSchema },
      },
    },
    async ({ params: { id }, query }) =>
      accountAnswer(found(await findAccount(db.orm, id, asOfRange(query)), "ledger_account", id.toString())),
  );
}

function getCustomerBalances(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/customers/:id/balances",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "The balances of all accounts of a customer, now or as of an instant",
        params: idParams,
        querystring: z.strictObject(asOfFields),
        response: { 200: listOf(accountBalanceSchema) },
      },
    },
    async ({ params: { id }, query }) => {
      found(await findCustomer(db.orm, id), "customer", id);
      const accounts = await accountsOfCustomer(db.orm, id, asOfRange(query));
      return { data: accounts.map(balanceAnswer), next_cursor: null };
    },
  );
}

function balanceAnswer(account: LedgerAccount): z.infer<typeof accountBalanceSchema> {
  const { key, name, currency, balance, held, version } = account;
  return {
    account: key,
    name,
    currency,
    ...sumsAnswer(account),
    held_minor: held === null ? null : minorText(held),
    available_minor: held === null ? null : minorText(ledgerSum(balance - held)),
    version: version?.toString() ?? null,
  };
}

function accountAnswer(account: LedgerAccount): z.infer<typeof accountSchema> {
  const { id, code, normalSide, customerId, floor, keepsStatement, openedAt } = account;
  return {
    id: id.toString(),
    ...balanceAnswer(account),
    code,
    class: account.class,
    normal_side: normalSide,
    customer: customerId,
    floor_minor: floor === null ? null : minorText(floor),
    keeps_statement: keepsStatement,
    opened_at: isoOf(openedAt),
  };
}
