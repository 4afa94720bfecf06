import { z } from "zod";
import { type ForeseenIssue, foreseenInvoices } from "../../db/billing/foreseen-invoices.ts";
import { wholeOf } from "../../db/billing/invoice-parts.ts";
import { findSubscription } from "../../db/billing/subscriptions.ts";
import { inSnapshot } from "../../db/database.ts";
import { type Instant, isoOf, type Period } from "../../domain/calendar/index.ts";
import type { InvoiceLine, InvoiceTotals } from "../../domain/invoicing/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { currencyText, idParams, instantText } from "../wire.ts";
import { noteAnswer, previewedNoteSchema } from "./previewed-note.ts";
import { ruleRefusals, standingRefusals } from "./subscriptions.ts";
import { thoughtOfChange, thoughtOfChangeInput } from "./thought-of-changes.ts";
import { upcomingAmounts, upcomingAmountsOf, upcomingLine, upcomingLineSchema } from "./upcoming-invoice.ts";

const body = z.strictObject({
  changes: z
    .array(thoughtOfChangeInput)
    .max(20)
    .default([])
    .describe("As if they were asked for now, one after the other. None is made."),
  periods: z
    .int()
    .min(1)
    .max(12)
    .default(2)
    .describe("How many periods are closed, at most: fewer where the subscription ends."),
});

const invoiceSchema = z
  .object({
    kind: z
      .enum(["change", "closing"])
      .describe("Of a change by itself; of a period, and the next one in advance."),
    issued_at: instantText,
    period_start: instantText,
    period_end: instantText,
    lines: z.array(upcomingLineSchema),
    ...upcomingAmounts,
  })
  .meta({ id: "ForeseenInvoice" });

const answerSchema = z
  .object({
    subscription: z.string(),
    at: instantText.describe("What it is as of."),
    currency: currencyText,
    invoices: z.array(invoiceSchema).describe("In the order in which they will be issued."),
    credit_notes: z.array(previewedNoteSchema).describe("By which a cancellation gives money back."),
  })
  .meta({ id: "ForeseenInvoices" });

/** The invoices that are coming, as if the subscription were changed. */
export function foreseenInvoicesRoute(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/subscriptions/:id/foreseen-invoices",
    {
      config: {
        scope: "read",
        refusals: [
          ...standingRefusals,
          "subscription_canceling",
          "subscription_already_canceling",
          "scheduled_change_not_ahead",
          "scheduled_change_too_far_ahead",
          "scheduled_change_after_end",
          "add_on_not_found",
          "seats_invalid",
          ...ruleRefusals,
        ],
      },
      schema: {
        tags: ["Subscriptions"],
        summary: "The coming invoices, as if the subscription were changed",
        description:
          "By the functions that make changes and close periods, with the usage of now; what is agreed for later comes in its time. Nothing is stored.",
        params: idParams,
        body,
        response: { 200: answerSchema },
      },
    },
    async ({ params: { id }, body: { changes, periods } }) => {
      const { customerId } = found(await findSubscription(deps.db.orm, id), "subscription", id);
      const now = await timeOfCustomer(deps, customerId);
      const thought = changes.map((change, place) => thoughtOfChange(change, `changes[${place}].`));
      return await inSnapshot(deps.db, async (tx) => {
        const row = found(await findSubscription(tx, id), "subscription", id);
        const issues = await foreseenInvoices(tx, row, { now, changes: thought, periods });
        return {
          subscription: id,
          at: isoOf(now),
          currency: row.currency,
          invoices: issues.flatMap((issue) => invoiceAnswer(id, issue)),
          credit_notes: issues.flatMap((issue) =>
            issue.kind === "change" ? issue.notes.map(noteAnswer) : [],
          ),
        };
      });
    },
  );
}

function invoiceAnswer(subscription: string, issue: ForeseenIssue): z.infer<typeof invoiceSchema>[] {
  const { kind, at } = issue;
  if (issue.kind === "closing") {
    const { periods, closed } = issue.closing;
    const lines = periods.flatMap(({ row }, place) =>
      (closed.parts[place]?.lines ?? []).map((line) => upcomingLine(row.id, line)),
    );
    const period = wholeOf(periods.map(({ agreed }) => agreed.period));
    return [{ kind, ...told(at, period, closed.totals), lines }];
  }
  if (issue.invoice === null) return [];
  const { lines, totals } = issue.invoice;
  return [
    {
      ...{ kind, ...told(at, reachOf(lines), totals) },
      lines: lines.map((line) => upcomingLine(subscription, line)),
    },
  ];
}

function told(at: Instant, period: Period | null, totals: InvoiceTotals) {
  const { start, end } = period ?? { start: at, end: at };
  const times = { issued_at: isoOf(at), period_start: isoOf(start), period_end: isoOf(end) };
  return { ...times, ...upcomingAmountsOf(totals) };
}

/** From where the first line begins until the last one ends. */
function reachOf(lines: readonly InvoiceLine[]): Period | null {
  const [first, ...others] = lines.map(({ period }) => period);
  if (first === undefined) return null;
  return others.reduce(
    (reach, { start, end }) => ({
      start: start < reach.start ? start : reach.start,
      end: end > reach.end ? end : reach.end,
    }),
    first,
  );
}
