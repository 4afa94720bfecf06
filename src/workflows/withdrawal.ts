import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  setCurrentDetails,
  setHandler,
} from "@temporalio/workflow";
import { stripeActivities } from "./activity-options.ts";
import { openClock } from "./clock.ts";
import { collect } from "./collection.ts";
import { type CollectionInput, withdraw } from "./messages.ts";
import { refusalOf } from "./refusal.ts";

export type WithdrawalOutcome = "withdrawn" | "refused";

/**
 * Voids an open invoice, at Stripe and here, and collects the one that bills its period anew. Id: `void/{invoice}`. Started with
 * the update `withdraw`, which answers with that invoice; when it is refused, the run ends, and another may try again.
 */
export async function withdrawal(input: CollectionInput): Promise<WithdrawalOutcome> {
  const { invoiceId, customerId, subscriptionId } = input;
  const clock = openClock(input.clock);
  let outcome: WithdrawalOutcome | null = null;
  let toCollect: string | null = null;
  setCurrentDetails(`Invoice ${invoiceId} is being voided, at Stripe first.`);
  setHandler(withdraw, async ({ requestId, at }) => {
    try {
      const issued = await stripeActivities().voidInvoice({ invoiceId, requestId, at });
      if (issued.collect) toCollect = issued.invoiceId;
      outcome = "withdrawn";
      return { replacedBy: issued.invoiceId };
    } catch (error) {
      outcome ??= "refused";
      const refusal = refusalOf(error);
      throw refusal === null ? error : ApplicationFailure.nonRetryable(refusal.message, refusal.code);
    }
  });
  await condition(() => outcome !== null);
  // Whoever tries again while a test clock is told goodbye is still heard here.
  do {
    const replacement: string | null = toCollect;
    toCollect = null;
    setCurrentDetails(
      `Invoice ${invoiceId} is ${outcome}${replacement === null ? "" : `; ${replacement} is collected`}.`,
    );
    if (replacement !== null) await collect(clock, { invoiceId: replacement, customerId, subscriptionId });
    await condition(allHandlersFinished);
    await clock.close();
  } while (!allHandlersFinished() || toCollect !== null);
  return outcome ?? "refused";
}
