import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import {
  executeChild,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  WorkflowIdReusePolicy,
  workflowInfo,
} from "@temporalio/workflow";
import { isoOf } from "../domain/calendar/index.ts";
import { stripeActivities } from "./activity-options.ts";
import { type Clock, openClock, startToken } from "./clock.ts";
import { type CollectionInput, dunningAfter, invoiceChanged, workflowIds } from "./messages.ts";
import { orPark } from "./park.ts";
import { promptly } from "./promptly.ts";
import { runLabels } from "./run-labels.ts";
import { searchAttributes } from "./search-attributes.ts";

export type CollectionOutcome = "paid" | "past_due";

type InvoiceToCollect = Omit<CollectionInput, "clock">;

/**
 * Collects an invoice for which nobody else does: not the billing cycle that issued it, nor a page.
 * Id: `collection/{invoice}`. Answers `paid` or `past_due`.
 */
export async function collection(input: CollectionInput): Promise<CollectionOutcome> {
  const { clock: reading, ...invoice } = input;
  const clock = openClock(reading);
  const outcome = await takePayment(clock, invoice);
  await clock.close();
  return outcome;
}

/**
 * Mirrors an issued invoice to Stripe and charges the card on file once: what is paid is booked by then, and a charge that
 * failed goes to a `dunning` run.
 */
export async function takePayment(clock: Clock, invoice: InvoiceToCollect): Promise<CollectionOutcome> {
  const { invoiceId } = invoice;
  // It is charged, or void, whatever is said meanwhile; time must not wait for that.
  setHandler(invoiceChanged, (told) => clock.told(told));
  const at = isoOf(clock.now());
  const { workflowId: collectedBy } = workflowInfo();
  setCurrentDetails(`Invoice ${invoiceId} is taken to Stripe and charged to the method on file.`);
  const outcome = await orPark("collecting the invoice", () =>
    stripeActivities().collectInvoice({ invoiceId, at, collectedBy }),
  );
  if (outcome.status === "paid") {
    setCurrentDetails(`Invoice ${invoiceId} is paid.`);
    return "paid";
  }
  upsertSearchAttributes([{ key: searchAttributes.billingStatus, value: "past_due" }]);
  setCurrentDetails(
    `Invoice ${invoiceId}: the charge failed (${failureOf(outcome)}); \`dunning/${invoiceId}\` goes on with it.`,
  );
  const dunning = dunningAfter(outcome, { ...invoice, clock: clock.reading() }, at);
  await promptly((activities) => activities.startDunning(dunning));
  return "past_due";
}

const failureOf = (outcome: { readonly declineCode: string } | { readonly status: "withheld" }) =>
  "declineCode" in outcome ? outcome.declineCode : "the network allows no charge of the card now";

/** Has an invoice collected by a run of its own, unless it has one, and waits for its first outcome. */
export async function collect(
  clock: Clock,
  invoice: InvoiceToCollect,
): Promise<CollectionOutcome | "collected_elsewhere"> {
  const workflowId = workflowIds.collection(invoice.invoiceId);
  await clock.expect(startToken(workflowId));
  const input = { ...invoice, clock: clock.reading() };
  try {
    return await executeChild(collection, {
      workflowId,
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      ...runLabels.collection(input),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    clock.told({ token: startToken(workflowId) });
    return "collected_elsewhere";
  }
}

/** Has an invoice collected by a run of its own, unless it has one, and does not wait for it. */
export async function startCollecting(clock: Clock, invoice: InvoiceToCollect): Promise<void> {
  const input = { ...invoice, clock: clock.reading() };
  await promptly((activities) => activities.startCollection(input));
}
