import { z } from "zod";
import { findSubscription } from "../../db/billing/subscriptions.ts";
import { type UpcomingPeriod, upcomingInvoice } from "../../db/billing/upcoming-invoice.ts";
import { type Database, inSnapshot } from "../../db/database.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { documentOfInvoice, type InvoiceToPrint } from "../../domain/invoicing/document/index.ts";
import type { InvoiceLine, InvoiceTotals } from "../../domain/invoicing/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { currencyText, decimalText, idParams, instantText, minorText } from "../wire.ts";
import { sendDocument } from "./invoice-documents.ts";

export const upcomingLineSchema = z.object({
  subscription: z.string().nullable().describe("Another one's where they are invoiced together."),
  kind: z.string(),
  description: z.string(),
  plan: z.string().nullable(),
  price: z.string().nullable(),
  period_start: instantText,
  period_end: instantText,
  quantity: decimalText.nullable(),
  amount_minor: minorText,
  exact_minor: decimalText,
});

/** What an invoice that is coming adds up to. */
export const upcomingAmounts = {
  subtotal_minor: minorText,
  credits_applied_minor: minorText,
  balance_applied_minor: minorText,
  total_minor: minorText,
};

const upcomingSchema = z
  .object({
    subscription: z.string(),
    at: instantText.describe("What it is as of."),
    period_start: instantText,
    period_end: instantText,
    currency: currencyText,
    lines: z.array(upcomingLineSchema),
    ...upcomingAmounts,
  })
  .meta({ id: "UpcomingInvoice" });

const querystring = z.strictObject({
  period: z
    .enum(["current", "next"])
    .default("current")
    .describe("The period whose invoice comes first, or the one after it."),
});

const config = { scope: "read" as const, refusals: ["subscription_not_found", "no_upcoming_invoice"] };
const description =
  "By the function that closes periods, with the usage of now, the balance, and the credit that will have been given by then; nothing is stored. Subscriptions that are " +
  "invoiced together are on it with theirs.";

/** The invoice that is coming, before it is issued. */
export function upcomingInvoiceRoutes(api: ApiInstance, deps: ApiDependencies): void {
  const path = "/v1/subscriptions/:id/upcoming-invoice";
  const tags = ["Subscriptions"];
  api.get(
    path,
    {
      config,
      schema: {
        tags,
        summary: "What a subscription's coming invoice would be now",
        description,
        params: idParams,
        querystring,
        response: { 200: upcomingSchema },
      },
    },
    async ({ params: { id }, query: { period } }) => {
      const { printed, at } = await upcoming(deps, id, period);
      return upcomingAnswer(id, printed, at);
    },
  );
  for (const [form, type] of [
    ["html", "text/html"],
    ["pdf", "application/pdf"],
  ] as const) {
    api.get(
      `${path}.${form}`,
      {
        config,
        schema: {
          tags,
          summary: `The same as a document: ${form.toUpperCase()}`,
          description,
          params: idParams,
          querystring,
          response: { 200: { content: { [type]: { schema: z.string() } } } },
        },
      },
      async ({ params: { id }, query: { period } }, reply) => {
        const { printed, at } = await upcoming(deps, id, period);
        return await sendDocument(reply, documentOfInvoice(printed), type, at);
      },
    );
  }
}

async function upcoming(
  deps: { readonly db: Database } & Pick<ApiDependencies, "now">,
  id: string,
  which: UpcomingPeriod,
): Promise<{ readonly printed: InvoiceToPrint; readonly at: Instant }> {
  const row = found(await findSubscription(deps.db.orm, id), "subscription", id);
  const at = await timeOfCustomer(deps, row.customerId);
  const printed = await inSnapshot(deps.db, (tx) => upcomingInvoice(tx, row, at, which));
  if (printed === null) {
    const message = "the subscription has ended: it has no such period to close";
    throw new RequestRefusedError("no_upcoming_invoice", message);
  }
  return { printed, at };
}

function upcomingAnswer(
  subscription: string,
  { period, currency, parts, ...amounts }: InvoiceToPrint,
  at: Instant,
): z.infer<typeof upcomingSchema> {
  const { start, end } = period ?? { start: at, end: at };
  return {
    subscription,
    at: isoOf(at),
    period_start: isoOf(start),
    period_end: isoOf(end),
    currency,
    lines: parts.flatMap(({ subscriptionId, lines }) =>
      lines.map((line) => upcomingLine(subscriptionId, line)),
    ),
    ...upcomingAmountsOf(amounts),
  };
}

export const upcomingLine = (
  subscription: string | null,
  line: InvoiceLine,
): z.infer<typeof upcomingLineSchema> => ({
  subscription,
  kind: line.kind,
  description: line.description,
  plan: line.source?.planKey ?? null,
  price: line.source?.priceKey ?? null,
  period_start: isoOf(line.period.start),
  period_end: isoOf(line.period.end),
  quantity: line.quantity?.text ?? null,
  amount_minor: line.amount.amountMinor.toString(),
  exact_minor: line.exactMinor.text,
});

export const upcomingAmountsOf = ({
  subtotal,
  creditsApplied,
  balanceApplied,
  total,
}: Pick<InvoiceTotals, "subtotal" | "creditsApplied" | "balanceApplied" | "total">) => ({
  subtotal_minor: subtotal.amountMinor.toString(),
  credits_applied_minor: creditsApplied.amountMinor.toString(),
  balance_applied_minor: balanceApplied.amountMinor.toString(),
  total_minor: total.amountMinor.toString(),
});
