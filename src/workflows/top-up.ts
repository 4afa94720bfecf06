import {
  allHandlersFinished,
  condition,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from "@temporalio/workflow";
import { databaseActivities } from "./activity-options.ts";
import { openClock } from "./clock.ts";
import { type CollectionOutcome, collect } from "./collection.ts";
import { purchase, type TopUpInput } from "./messages.ts";
import { refusable } from "./refusal.ts";
import { searchAttributes } from "./search-attributes.ts";

/**
 * A purchase of prepaid credits: its invoice is issued and collected; the credits can be spent once it is paid.
 * Id: `customer/{id}/top-up/{grant}`. Started with the update `purchase`, which answers with the invoice; refused, the run ends.
 */
export async function topUp(
  input: TopUpInput,
): Promise<CollectionOutcome | "collected_elsewhere" | "refused"> {
  const { grantId, customerId } = input;
  const clock = openClock(input.clock);
  let invoiceId: string | null = null;
  let isRefused = false;
  setCurrentDetails(`Credits ${grantId}: the invoice is being issued.`);
  setHandler(purchase, async ({ at }) => {
    const issued = await refusable(databaseActivities.issueCreditPurchase({ grantId, at })).catch((error) => {
      isRefused = true;
      throw error;
    });
    invoiceId = issued.invoiceId;
    upsertSearchAttributes([{ key: searchAttributes.invoiceId, value: issued.invoiceId }]);
    setCurrentDetails(`Credits ${grantId}: invoice ${issued.invoiceId} is being collected.`);
    return { invoiceId: issued.invoiceId };
  });
  await condition(() => invoiceId !== null || isRefused);
  const outcome =
    invoiceId === null ? "refused" : await collect(clock, { invoiceId, customerId, subscriptionId: null });
  setCurrentDetails(`Credits ${grantId}: ${invoiceId === null ? "" : `invoice ${invoiceId} is `}${outcome}.`);
  await condition(allHandlersFinished);
  await clock.close();
  return outcome;
}
