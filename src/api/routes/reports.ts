import { z } from "zod";
import { inSnapshot } from "../../db/database.ts";
import { invoicedByProduct, planMix } from "../../db/reports/plans.ts";
import { ageBands, receivablesByAge } from "../../db/reports/receivables.ts";
import { revenueByMonth } from "../../db/reports/revenue.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { type AccountingMonth, monthOf, periodOfMonth } from "../../domain/ledger/accounting-month.ts";
import { ledgerSum, minorText as minorOf } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { RequestRefusedError } from "../refusals.ts";
import { currencyText, decimalText, instantText, minorText, monthInput, monthText } from "../wire.ts";

const tags = ["Reports"];
type ReportDependencies = Pick<ApiDependencies, "db" | "now">;

/** How everybody stands, for finance and product. Each answer is one snapshot. */
export function reportRoutes(api: ApiInstance, deps: ReportDependencies): void {
  getReceivables(api, deps);
  getRevenue(api, deps);
  getInvoiced(api, deps);
  getPlans(api, deps);
}

const receivableSchema = z.object({
  currency: currencyText,
  age_days: z.enum(ageBands).describe("Since the invoice was issued."),
  invoices: z.int(),
  due_minor: minorText.describe("What is left to pay of them."),
});

function getReceivables(api: ApiInstance, { db, now }: ReportDependencies): void {
  api.get(
    "/v1/reports/receivables",
    {
      config: { scope: "read" },
      schema: {
        tags,
        summary: "What open invoices have left to pay, by age",
        response: { 200: z.object({ as_of: instantText, data: z.array(receivableSchema) }) },
      },
    },
    async () => {
      const at = now();
      const bands = await inSnapshot(db, (tx) => receivablesByAge(tx, at));
      const data = bands.map(({ currency, band, invoices, dueMinor }) => ({
        currency,
        age_days: band,
        invoices,
        due_minor: dueMinor,
      }));
      return { as_of: isoOf(at), data };
    },
  );
}

const monthsQuery = z.strictObject({
  from: monthInput.optional().describe("The first month (UTC); eleven before the last when left out."),
  to: monthInput.optional().describe("The last month; the current one when left out."),
});

const revenueSchema = z.object({
  month: monthText,
  currency: currencyText,
  code: z.string().meta({ example: "4000" }),
  name: z.string().describe("Of the code, in the chart of accounts."),
  product: z.string().nullable(),
  amount_minor: decimalText.describe("Minor units, up to eight decimals; negative where it lowers revenue."),
});

function getRevenue(api: ApiInstance, { db, now }: ReportDependencies): void {
  api.get(
    "/v1/reports/revenue",
    {
      config: { scope: "read" },
      schema: {
        tags,
        summary: "What was earned by month and product, from the ledger, by effective dates",
        querystring: monthsQuery,
        response: { 200: z.object({ from: monthText, to: monthText, data: z.array(revenueSchema) }) },
      },
    },
    async ({ query }) => {
      const { from, to, bounds } = monthsOf(query, now());
      const earned = await inSnapshot(db, (tx) => revenueByMonth(tx, bounds));
      const data = earned.map(({ amount, ...row }) => ({
        ...row,
        amount_minor: minorOf(ledgerSum(BigInt(amount))),
      }));
      return { from, to, data };
    },
  );
}

const invoicedSchema = z.object({
  month: monthText,
  currency: currencyText,
  plan: z.string().nullable(),
  product: z.string(),
  kind: z.string().describe("Of the lines.").meta({ example: "usage" }),
  quantity: decimalText.nullable().describe("Of usage, in the units of its meter."),
  amount_minor: minorText,
  customers: z.int().describe("Who have such a line."),
});

function getInvoiced(api: ApiInstance, { db, now }: ReportDependencies): void {
  api.get(
    "/v1/reports/invoiced",
    {
      config: { scope: "read" },
      schema: {
        tags,
        summary: "What was invoiced by month, plan and product; without tax and void invoices",
        querystring: monthsQuery,
        response: { 200: z.object({ from: monthText, to: monthText, data: z.array(invoicedSchema) }) },
      },
    },
    async ({ query }) => {
      const { from, to, bounds } = monthsOf(query, now());
      const invoiced = await inSnapshot(db, (tx) => invoicedByProduct(tx, bounds));
      return {
        from,
        to,
        data: invoiced.map(({ amountMinor, ...row }) => ({ ...row, amount_minor: amountMinor })),
      };
    },
  );
}

const planMixSchema = z.object({
  plan: z.string(),
  version: z.int(),
  status: z.string().meta({ example: "active" }),
  subscriptions: z.int(),
  seats: z.int(),
});

function getPlans(api: ApiInstance, { db, now }: ReportDependencies): void {
  api.get(
    "/v1/reports/plans",
    {
      config: { scope: "read" },
      schema: {
        tags,
        summary: "How many subscriptions are on which version of which plan",
        response: { 200: z.object({ data: z.array(planMixSchema) }) },
      },
    },
    async () => ({ data: await inSnapshot(db, (tx) => planMix(tx, now())) }),
  );
}

const monthsMax = 36;

function monthsOf(query: z.output<typeof monthsQuery>, at: Instant) {
  const to = query.to ?? monthOf(at);
  const from = query.from ?? monthsBefore(to, 11);
  if (from > to || from < monthsBefore(to, monthsMax - 1)) {
    const message = `must be no later than the last month, and at most ${monthsMax - 1} months before it`;
    throw new RequestRefusedError("request_invalid", message, "from");
  }
  const bounds = { from: isoOf(periodOfMonth(from).start), before: isoOf(periodOfMonth(to).end) };
  return { from, to, bounds };
}

/** So many months before, or the first one there is. */
function monthsBefore(month: AccountingMonth, count: number): AccountingMonth {
  const number = Number(month.slice(0, 4)) * 12 + Number(month.slice(5)) - 1 - count;
  const year = Math.max(1, Math.floor(number / 12));
  return `${String(year).padStart(4, "0")}-${String((number % 12) + 1).padStart(2, "0")}` as AccountingMonth;
}
