import { setCurrentDetails } from "@temporalio/workflow";
import { databaseActivities } from "./activity-options.ts";
import { openClock } from "./clock.ts";
import type { BegunAnchor, ProrationInput } from "./messages.ts";
import { type Refusal, refusalOf } from "./refusal.ts";

/** What a change came to, in ids and states. */
export interface ProrationOutcome {
  readonly invoiceId: string | null;
  /** Whether that has to be paid. */
  readonly collect: boolean;
  readonly effectiveAt: string;
  /** Where periods count from since, when that changed. */
  readonly anchor?: BegunAnchor;
  /** When the next change that is agreed for later is to be made. */
  readonly dueAt?: string | null;
  /** What an end gives back that is still to be sent. */
  readonly refunds?: readonly string[];
  /** Set when the rules did not allow the change: nothing was changed. */
  readonly refused: Refusal | null;
}

/**
 * Makes a change of a subscription inside its period that its run could not make at once: new terms, entries and an invoice or
 * a credit at the pinned instant, in one transaction, tried until it is done, where an operator sees what it waits for.
 * Id: `proration/{subscription}/{change}`. A change the rules do not allow is answered as refused, and changes nothing.
 */
export async function proration(input: ProrationInput): Promise<ProrationOutcome> {
  const { subscriptionId, changeId, at, change } = input;
  const clock = openClock(input.clock);
  setCurrentDetails(`${change.kind} as of **${at}** is being worked out and booked.`);
  try {
    const booked = await databaseActivities.applyChange({ subscriptionId, changeId, at, change });
    const { invoiceId, effectiveAt } = booked;
    setCurrentDetails(`${change.kind} as of ${effectiveAt}: invoice ${invoiceId ?? "none"}.`);
    return { ...booked, refused: null };
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === null) throw error;
    setCurrentDetails(`${change.kind} was refused: ${refused.message}`);
    return { invoiceId: null, collect: false, effectiveAt: at, refused };
  } finally {
    await clock.close();
  }
}
