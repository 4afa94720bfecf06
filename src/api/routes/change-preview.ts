import { z } from "zod";
import { commandStandingOf } from "../../db/billing/foreseen-change.ts";
import { foreseenUntil } from "../../db/billing/foreseen-steps.ts";
import { foreseenSubscription, standingOf } from "../../db/billing/foreseen-subscription.ts";
import { type PlannedChange, plannedChange } from "../../db/billing/planned-change.ts";
import {
  anchoredPeriodAt,
  anchorsOf,
  findSubscription,
  type StoredSubscription,
} from "../../db/billing/subscriptions.ts";
import { taxQuoteAhead } from "../../db/billing/tax-ahead.ts";
import { taxedAtOnce } from "../../db/billing/tax-given.ts";
import { inSnapshot } from "../../db/database.ts";
import { agreedPeriodAt, contains, type Instant, isoOf, type Period } from "../../domain/calendar/index.ts";
import { settlements } from "../../domain/catalog/index.ts";
import { admitCommand, type SubscriptionCommandKind } from "../../domain/lifecycle/index.ts";
import { currency, sumMoney } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfSubscriber } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { currencyText, idParams, instantText, minorText } from "../wire.ts";
import { changeInput, requestedChange } from "./change-inputs.ts";
import { lineAnswer, previewLineSchema } from "./line-fields.ts";
import { noteAnswer, previewedNoteSchema } from "./previewed-note.ts";
import { ruleRefusals, standingRefusals, tags } from "./subscriptions.ts";

const previewSchema = z
  .object({
    effective_at: instantText.describe("Send it back with the change, and it is made at this instant."),
    quote: z.string().describe("Names these lines: with it, the change is made with them or refused."),
    tax_quote: z
      .string()
      .nullable()
      .describe(
        "Of a customer whose tax is reckoned outside: give it for this quote before the change, and it is invoiced when it is made; else with the period. Null where there is nothing to be taxed.",
      ),
    currency: currencyText,
    lines: z.array(previewLineSchema),
    net_minor: minorText.describe("What the lines sum to; negative is for the customer."),
    settle: z
      .enum(settlements)
      .describe("When the lines are invoiced: now, with the period's usage, or not at all: there are none."),
    refund_minor: minorText
      .nullable()
      .describe("Of a cancellation with `refund`: what goes back to the payments, tax too."),
    credit_notes: z
      .array(previewedNoteSchema)
      .describe("Of a cancellation with `refund`: by which notes unused time goes back, besides the lines."),
    period: z
      .object({ start: instantText, end: instantText })
      .nullable()
      .describe("The period in course after the change; null after an end."),
  })
  .meta({ id: "ChangePreview" });

/** What a change would come to: the function that makes it, and nothing stored. */
export function changePreviewRoute(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/subscriptions/:id/change-preview",
    {
      config: {
        scope: "read",
        refusals: [
          ...standingRefusals,
          "add_on_not_found",
          "subscription_change_backdated",
          "seats_invalid",
          ...ruleRefusals,
        ],
      },
      schema: {
        tags,
        summary: "Preview a change",
        description:
          "The lines that a change would make, to the cent. Send `effective_at` and `quote` with the change as its `preview`, and it comes to the same lines, or is refused because something else has changed since.",
        params: idParams,
        body: changeInput,
        response: { 200: previewSchema },
      },
    },
    async ({ params: { id }, body }) => {
      const now = await timeOfSubscriber(deps, id);
      const at = body.effective_at ?? now;
      return await inSnapshot(deps.db, async (tx) => {
        const row = found(await findSubscription(tx, id), "subscription", id);
        const { customerId } = row;
        admit(row, body.kind, at, now);
        // Its run makes what is agreed until then before it.
        const foreseen = await foreseenUntil(tx, await foreseenSubscription(tx, row), at);
        admit(foreseen.row, body.kind, at, at);
        const standing = standingOf(tx, foreseen);
        const planned = await plannedChange(tx, foreseen.row, requestedChange(body), at, standing);
        const { lines } = planned;
        const taxQuote = await taxQuoteAhead(tx, { customerId, of: taxedAtOnce.change(id), lines, at: now });
        const isRefunded = body.kind === "cancel" && body.unused === "refund";
        return previewAnswer(foreseen.row, planned, { taxQuote, isRefunded });
      });
    },
  );
}

/** Refuses what the subscription's run would refuse. */
function admit(row: StoredSubscription, kind: SubscriptionCommandKind, at: Instant, now: Instant): void {
  admitCommand(commandStandingOf(row, now), { kind, at: isoOf(at) });
  const { period } = anchoredPeriodAt(row, now);
  if (contains(period, at)) return;
  const message = `must be before ${isoOf(period.end)}, when the period in course ends`;
  throw new RequestRefusedError("request_invalid", message, "effective_at");
}

function previewAnswer(
  row: StoredSubscription,
  planned: PlannedChange,
  { taxQuote, isRefunded }: { readonly taxQuote: string | null; readonly isRefunded: boolean },
): z.infer<typeof previewSchema> {
  const { at, lines, quote, notes, waits, settle } = planned;
  const refund = sumMoney(
    notes.map((note) => note.planned.toRefund),
    currency(row.currency),
  );
  const net = sumMoney(
    lines.map(({ amount }) => amount),
    currency(row.currency),
  );
  const period = planned.after === null ? null : periodAfter(row, planned);
  return {
    effective_at: isoOf(at),
    quote,
    tax_quote: taxQuote,
    currency: row.currency,
    lines: lines.map(lineAnswer),
    net_minor: net.amountMinor.toString(),
    settle: waits && settle === "now" ? "next_invoice" : settle,
    refund_minor: isRefunded ? refund.amountMinor.toString() : null,
    credit_notes: notes.map(noteAnswer),
    period: period && { start: isoOf(period.start), end: isoOf(period.end) },
  };
}

function periodAfter(row: StoredSubscription, { at, anchor }: PlannedChange): Period {
  const anchors = anchorsOf(row);
  return agreedPeriodAt(anchor === null ? anchors : [...anchors, anchor], at).period;
}
