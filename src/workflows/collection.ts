import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import {
  type ChildWorkflowHandle,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  WorkflowIdReusePolicy,
} from "@temporalio/workflow";
import { isoOf } from "../domain/calendar/index.ts";
import { stripeActivities } from "./activity-options.ts";
import { type Clock, openClock, startToken } from "./clock.ts";
import { dunning } from "./dunning.ts";
import { type CollectionInput, invoiceChanged, workflowIds } from "./messages.ts";
import { orPark } from "./park.ts";
import { priorities } from "./priorities.ts";
import { searchAttributes } from "./search-attributes.ts";
import { untilBooked } from "./until-booked.ts";

export type CollectionOutcome = "paid" | "past_due";

/**
 * Mirrors an issued invoice to Stripe, charges the card on file once, and waits until the payment is booked, which the
 * webhook does; a declined charge goes to a `dunning` run. Id: `collection/{invoice}`. Answers `paid` or `past_due`.
 */
export async function collection(input: CollectionInput): Promise<CollectionOutcome> {
  const { invoiceId, customerId, subscriptionId } = input;
  const clock = openClock(input.clock);
  let changed = false;
  setHandler(invoiceChanged, (told) => {
    changed = true;
    clock.told(told);
  });
  const at = isoOf(clock.now());
  await orPark("mirroring the invoice to Stripe", () => stripeActivities().mirrorInvoice({ invoiceId, at }));
  const outcome = await orPark("charging the invoice", () =>
    stripeActivities().payInvoice({ invoiceId, attempt: 1, cause: "first", at }),
  );
  if (outcome.status === "paid") {
    await untilBooked(invoiceId, at, () => changed);
    setCurrentDetails(`Invoice ${invoiceId} is paid.`);
    await clock.close();
    return "paid";
  }
  upsertSearchAttributes([{ key: searchAttributes.billingStatus, value: "past_due" }]);
  setCurrentDetails(
    `Invoice ${invoiceId}: the charge failed (${failureOf(outcome)}); dunning goes on with it.`,
  );
  const workflowId = workflowIds.dunning(invoiceId);
  await clock.expect(startToken(workflowId));
  await startChild(dunning, {
    workflowId,
    args: [
      {
        invoiceId,
        customerId,
        subscriptionId,
        startedAt: at,
        // What was never sent was not declined: the card is tried when the network allows it again.
        ...(outcome.status === "withheld"
          ? { lastDecline: "soft", withheld: { until: outcome.until } }
          : { lastDecline: outcome.declineClass }),
        clock: clock.reading(),
      },
    ],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    priority: priorities.dunning(customerId),
    staticSummary: `Dunning of ${invoiceId}`,
    typedSearchAttributes: [
      { key: searchAttributes.customerId, value: customerId },
      { key: searchAttributes.invoiceId, value: invoiceId },
      { key: searchAttributes.billingStatus, value: "past_due" },
    ],
  });
  await clock.close();
  return "past_due";
}

/** Starts the collection of an invoice, unless it has one, and waits for its first outcome. */
export async function collect(
  clock: Clock,
  input: Omit<CollectionInput, "clock">,
): Promise<CollectionOutcome | "collected_elsewhere"> {
  const collecting = await startCollecting(clock, input);
  return collecting === null ? "collected_elsewhere" : await collecting.result();
}

const failureOf = (outcome: { readonly declineCode: string } | { readonly status: "withheld" }) =>
  "declineCode" in outcome ? outcome.declineCode : "the network allows no charge of the card now";

/** Starts the collection of an invoice; null when it has one already. */
export async function startCollecting(
  clock: Clock,
  input: Omit<CollectionInput, "clock">,
): Promise<ChildWorkflowHandle<typeof collection> | null> {
  const { invoiceId, customerId, subscriptionId } = input;
  const workflowId = workflowIds.collection(invoiceId);
  await clock.expect(startToken(workflowId));
  try {
    return await startChild(collection, {
      workflowId,
      args: [{ ...input, clock: clock.reading() }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary: `Collection of ${invoiceId}`,
      typedSearchAttributes: [
        { key: searchAttributes.customerId, value: customerId },
        { key: searchAttributes.invoiceId, value: invoiceId },
        ...(subscriptionId === null ? [] : [{ key: searchAttributes.subscriptionId, value: subscriptionId }]),
      ],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    clock.told({ token: startToken(workflowId) });
    return null;
  }
}
