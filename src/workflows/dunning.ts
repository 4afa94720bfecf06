import { setCurrentDetails, setHandler, upsertSearchAttributes } from "@temporalio/workflow";
import { type Instant, instant, isoOf } from "../domain/calendar/index.ts";
import {
  attemptsDue,
  type DeclineClass,
  type DunningPolicy,
  defaultDunningPolicy,
  nextDunningStep,
} from "../domain/lifecycle/index.ts";
import { databaseActivities, stripeActivities } from "./activity-options.ts";
import { type Clock, openClock } from "./clock.ts";
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
  const run = new DunningRun(input, openClock(input.clock));
  await run.open();
  for (;;) {
    const outcome = await run.step();
    if (outcome !== null) return await run.finish(outcome);
  }
}

/** What a dunning holds between its tasks. */
class DunningRun {
  readonly #invoiceId: string;
  readonly #startedAt: Instant;
  readonly #clock: Clock;
  #policy: DunningPolicy = defaultDunningPolicy;
  #attempts = 1;
  /** How many attempts of the schedule have been made, or have passed. */
  #scheduled = 0;
  #lastDecline: DeclineClass;
  #hasNewMethod = false;
  #hasChanged = false;

  constructor({ invoiceId, startedAt, lastDecline }: DunningInput, clock: Clock) {
    this.#invoiceId = invoiceId;
    this.#startedAt = instant(startedAt);
    this.#clock = clock;
    this.#lastDecline = lastDecline;
    setHandler(paymentMethodUpdated, (told) => {
      this.#hasNewMethod = true;
      clock.told(told);
    });
    setHandler(invoiceChanged, (told) => {
      this.#hasChanged = true;
      clock.told(told);
    });
  }

  async open(): Promise<void> {
    const invoiceId = this.#invoiceId;
    const startedAt = isoOf(this.#startedAt);
    this.#policy = await orPark("opening the dunning", () =>
      databaseActivities.openDunning({ invoiceId, startedAt }),
    );
  }

  /** One thing that happens; null as long as the dunning goes on. */
  async step(): Promise<DunningOutcome | null> {
    // What came while a charge was under way counts before the schedule does: the invoice may be paid by now.
    if (this.#hasChanged) return await this.#readInvoice();
    if (this.#hasNewMethod) {
      this.#hasNewMethod = false;
      return await this.#attempt("new_payment_method");
    }
    const next = nextDunningStep(this.#policy, this.#startedAt, this.#scheduled, this.#lastDecline);
    if (next.kind === "give_up") return "exhausted";
    const wakeAt = (next.kind === "attempt" ? next.at : next.until) as Instant;
    await this.#show(next.kind, wakeAt);
    await this.#clock.until(wakeAt, () => this.#hasNewMethod || this.#hasChanged);
    if (this.#hasNewMethod || this.#hasChanged) return null;
    if (next.kind === "await_payment_method") return "exhausted";
    this.#scheduled += 1;
    return await this.#attempt("schedule");
  }

  async finish(last: DunningOutcome): Promise<DunningOutcome> {
    const invoiceId = this.#invoiceId;
    const attempts = this.#attempts;
    const at = isoOf(this.#clock.now());
    const outcome = last === "exhausted" ? await this.#giveUp(at) : last;
    upsertSearchAttributes([{ key: searchAttributes.billingStatus, value: outcome }]);
    setCurrentDetails(`Invoice ${invoiceId}: ${outcome} after ${attempts} attempts.`);
    await orPark("ending the dunning", () =>
      databaseActivities.endDunning({ invoiceId, outcome, attempts, at }),
    );
    await this.#clock.close();
    return outcome;
  }

  /** Whoever pays in the last moment has paid. */
  async #giveUp(at: string): Promise<DunningOutcome> {
    const invoiceId = this.#invoiceId;
    const { status } = await orPark("giving the invoice up at Stripe", () =>
      stripeActivities().giveUpInvoice({ invoiceId, at }),
    );
    return status === "paid" ? "recovered" : "exhausted";
  }

  async #readInvoice(): Promise<DunningOutcome | null> {
    const invoiceId = this.#invoiceId;
    this.#hasChanged = false;
    const { status } = await orPark("reading the invoice", () =>
      databaseActivities.readInvoiceStatus({ invoiceId }),
    );
    if (status === "paid") return "recovered";
    return status === "open" ? null : "closed";
  }

  /** One charge. */
  async #attempt(cause: "schedule" | "new_payment_method"): Promise<DunningOutcome | null> {
    const invoiceId = this.#invoiceId;
    this.#attempts += 1;
    const attempt = this.#attempts;
    const at = isoOf(this.#clock.now());
    upsertSearchAttributes([{ key: searchAttributes.dunningAttempt, value: attempt }]);
    this.#hasChanged = false;
    const outcome = await orPark(`attempt ${attempt}`, () =>
      stripeActivities().payInvoice({ invoiceId, attempt, cause, at }),
    );
    if (outcome.status === "declined") {
      this.#lastDecline = outcome.declineClass;
      const due = attemptsDue(this.#policy, this.#startedAt, this.#clock.now());
      this.#scheduled = Math.max(this.#scheduled, due);
      return null;
    }
    await untilBooked(invoiceId, at, () => this.#hasChanged);
    return "recovered";
  }

  /** Says in the UI and in the database what comes next. */
  async #show(next: "attempt" | "await_payment_method", at: Instant): Promise<void> {
    const invoiceId = this.#invoiceId;
    const attempts = this.#attempts;
    const { retryAfterDays, finalAction } = this.#policy;
    upsertSearchAttributes([{ key: searchAttributes.nextActionAt, value: new Date(at) }]);
    setCurrentDetails(
      next === "attempt"
        ? `Invoice ${invoiceId}: ${attempts} attempts made, the next of ${retryAfterDays.length} retries **${isoOf(at)}**.\n\nA new payment method is tried at once.`
        : `Invoice ${invoiceId}: the card is of no more use (${this.#lastDecline}). Waiting for a new payment method until **${isoOf(at)}**, then: ${finalAction}.`,
    );
    await orPark("noting what comes next", () =>
      databaseActivities.noteDunning({
        invoiceId,
        attempts,
        state: next === "attempt" ? "retrying" : "awaiting_payment_method",
        nextAttemptAt: next === "attempt" ? isoOf(at) : null,
      }),
    );
  }
}
