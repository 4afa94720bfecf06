import { setCurrentDetails } from "@temporalio/workflow";
import { databaseActivities } from "./activity-options.ts";
import { openClock } from "./clock.ts";
import { startCollecting } from "./collection.ts";
import type { BegunAnchor, ProrationInput } from "./messages.ts";
import { type Refusal, refusalOf } from "./refusal.ts";

/** What a change came to, in ids and states. */
export interface ProrationOutcome {
  readonly invoiceId: string | null;
  readonly effectiveAt: string;
  /** Where periods count from since, when that changed. */
  readonly anchor?: BegunAnchor;
  /** When the next change that is agreed for later is to be made. */
  readonly dueAt?: string | null;
  /** Set when the rules did not allow the change: nothing was changed. */
  readonly refused: Refusal | null;
}

/**
 * Makes a change of a subscription inside its period: new terms, entries and an invoice or a credit at the pinned
 * instant, in one transaction; then the invoice's collection is started, not waited for.
 * Id: `proration/{subscription}/{change}`. A change the rules do not allow is answered as refused, and changes nothing.
 */
export async function proration(input: ProrationInput): Promise<ProrationOutcome> {
  const { subscriptionId, customerId, changeId, at, change } = input;
  const clock = openClock(input.clock);
  setCurrentDetails(`${change.kind} as of **${at}** is being worked out and booked.`);
  try {
    const booked = await databaseActivities.applyChange({ subscriptionId, changeId, at, change });
    const { invoiceId, effectiveAt, anchor, dueAt } = booked;
    setCurrentDetails(`${change.kind} as of ${effectiveAt}: invoice ${invoiceId ?? "none"}.`);
    if (invoiceId !== null && booked.collect) {
      await startCollecting(clock, { invoiceId, customerId, subscriptionId });
    }
    return {
      invoiceId,
      effectiveAt,
      ...(anchor === undefined ? {} : { anchor }),
      ...(dueAt === undefined ? {} : { dueAt }),
      refused: null,
    };
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === null) throw error;
    setCurrentDetails(`${change.kind} was refused: ${refused.message}`);
    return { invoiceId: null, effectiveAt: at, refused };
  } finally {
    await clock.close();
  }
}
