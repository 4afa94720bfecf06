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
import { type CollectionInput, type DunningInput, invoiceChanged, workflowIds } from "./messages.ts";
import { orPark } from "./park.ts";
import { priorities } from "./priorities.ts";
import { runLabels } from "./run-labels.ts";
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
  setCurrentDetails(`Invoice ${invoiceId} is taken to Stripe and charged to the method on file.`);
  await orPark("mirroring the invoice to Stripe", () => stripeActivities().mirrorInvoice({ invoiceId, at }));
  const outcome = await orPark("charging the invoice", () =>
    stripeActivities().payInvoice({ invoiceId, attempt: 1, cause: "first", at }),
  );
  if (outcome.status === "paid") {
    setCurrentDetails(`Invoice ${invoiceId} is charged: Stripe's word that it is paid is waited for.`);
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
  const begun: DunningInput = {
    invoiceId,
    customerId,
    subscriptionId,
    startedAt: at,
    // What was never sent was not declined: the card is tried when the network allows it again.
    ...(outcome.status === "withheld"
      ? { lastDecline: "soft", withheld: { until: outcome.until } }
      : { lastDecline: outcome.declineClass }),
    clock: clock.reading(),
  };
  await startChild(dunning, {
    workflowId,
    args: [begun],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    priority: priorities.dunning(customerId),
    ...runLabels.dunning(begun),
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
  const workflowId = workflowIds.collection(input.invoiceId);
  await clock.expect(startToken(workflowId));
  const collecting = { ...input, clock: clock.reading() };
  try {
    return await startChild(collection, {
      workflowId,
      args: [collecting],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      ...runLabels.collection(collecting),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    clock.told({ token: startToken(workflowId) });
    return null;
  }
}
