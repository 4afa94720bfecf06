import { setCurrentDetails, setHandler, upsertSearchAttributes } from "@temporalio/workflow";
import { type Instant, instant, isoOf } from "../domain/calendar/index.ts";
import { type DeclineClass, type DunningPolicy, nextDunningStep } from "../domain/lifecycle/index.ts";
import { databaseActivities, stripeActivities } from "./activity-options.ts";
import { openClock } from "./clock.ts";
import { type DunningInput, invoiceChanged, paymentMethodUpdated } from "./messages.ts";
import { orPark } from "./park.ts";
import { searchAttributes } from "./search-attributes.ts";
import { untilBooked } from "./until-booked.ts";

export type DunningOutcome = "recovered" | "exhausted" | "closed";

/**
 * What follows a declined charge: attempts by the policy's schedule and the class of the decline, one at once when the
 * customer brings a new payment method (it does not use up an attempt of the schedule), recovery from any point when
 * the invoice is paid otherwise, and the policy's final action when nothing helped. Id: `dunning/{invoice}`.
 */
export async function dunning(input: DunningInput): Promise<DunningOutcome> {
  const { invoiceId } = input;
  const clock = openClock(input.clock);
  const startedAt = instant(input.startedAt);
  let newMethod = false;
  let changed = false;
  setHandler(paymentMethodUpdated, (told) => {
    newMethod = true;
    clock.told(told);
  });
  setHandler(invoiceChanged, (told) => {
    changed = true;
    clock.told(told);
  });

  const policy = await orPark("opening the dunning", () =>
    databaseActivities.openDunning({ invoiceId, startedAt: input.startedAt }),
  );
  let attempts = 1;
  let scheduled = 0;
  let lastDecline: DeclineClass = input.lastDecline;

  async function finish(outcome: DunningOutcome): Promise<DunningOutcome> {
    const at = isoOf(clock.now());
    upsertSearchAttributes([{ key: searchAttributes.billingStatus, value: outcome }]);
    setCurrentDetails(`Invoice ${invoiceId}: ${outcome} after ${attempts} attempts.`);
    if (outcome === "exhausted") {
      await orPark("giving the invoice up at Stripe", () =>
        stripeActivities().giveUpInvoice({ invoiceId, at }),
      );
    }
    await orPark("ending the dunning", () =>
      databaseActivities.endDunning({ invoiceId, outcome, attempts, at }),
    );
    await clock.close();
    return outcome;
  }

  /** One charge; answers whether the invoice is settled by it. */
  async function attempt(cause: "schedule" | "new_payment_method"): Promise<boolean> {
    attempts += 1;
    const at = isoOf(clock.now());
    upsertSearchAttributes([{ key: searchAttributes.dunningAttempt, value: attempts }]);
    changed = false;
    const outcome = await orPark(`attempt ${attempts}`, () =>
      stripeActivities().payInvoice({ invoiceId, attempt: attempts, cause, at }),
    );
    if (outcome.status === "declined") {
      lastDecline = outcome.declineClass;
      scheduled = Math.max(scheduled, attemptsDue(policy, startedAt, clock.now()));
      return false;
    }
    await untilBooked(invoiceId, at, () => changed);
    return true;
  }

  for (;;) {
    // What came while a charge was under way counts before the schedule does: the invoice may be paid by now.
    if (changed) {
      changed = false;
      const { status } = await orPark("reading the invoice", () =>
        databaseActivities.readInvoiceStatus({ invoiceId }),
      );
      if (status === "paid") return await finish("recovered");
      if (status !== "open") return await finish("closed");
      continue;
    }
    if (newMethod) {
      newMethod = false;
      if (await attempt("new_payment_method")) return await finish("recovered");
      continue;
    }
    const step = nextDunningStep(policy, startedAt, scheduled, lastDecline);
    if (step.kind === "give_up") return await finish("exhausted");
    const wakeAt = (step.kind === "attempt" ? step.at : step.until) as Instant;
    await show(invoiceId, policy, attempts, step.kind, wakeAt);
    await clock.until(wakeAt, () => newMethod || changed);
    if (newMethod || changed) continue;
    if (step.kind === "await_payment_method") return await finish("exhausted");
    scheduled += 1;
    if (await attempt("schedule")) return await finish("recovered");
  }

  async function show(
    invoice: string,
    { retryAfterDays, finalAction }: DunningPolicy,
    made: number,
    next: "attempt" | "await_payment_method",
    at: Instant,
  ): Promise<void> {
    upsertSearchAttributes([{ key: searchAttributes.nextActionAt, value: new Date(at) }]);
    setCurrentDetails(
      next === "attempt"
        ? `Invoice ${invoice}: ${made} attempts made, the next of ${retryAfterDays.length} retries **${isoOf(at)}**.\n\nA new payment method is tried at once.`
        : `Invoice ${invoice}: the card is of no more use (${lastDecline}). Waiting for a new payment method until **${isoOf(at)}**, then: ${finalAction}.`,
    );
    await orPark("noting what comes next", () =>
      databaseActivities.noteDunning({
        invoiceId: invoice,
        attempts: made,
        state: next === "attempt" ? "retrying" : "awaiting_payment_method",
        nextAttemptAt: next === "attempt" ? isoOf(at) : null,
      }),
    );
  }
}

const dayMs = 86_400_000;

/**
 * How many attempts of the schedule were due until now. Those that passed while only a new payment method could help
 * are not made up for: one charge after the other in one moment helps nobody.
 */
function attemptsDue({ retryAfterDays }: DunningPolicy, startedAt: Instant, now: Instant): number {
  return retryAfterDays.filter((days) => startedAt + days * dayMs <= now).length;
}
