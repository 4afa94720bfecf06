import { setCurrentDetails, setHandler, upsertSearchAttributes } from "@temporalio/workflow";
import { type Instant, instant, isoOf } from "../domain/calendar/index.ts";
import {
  type AttemptCause,
  afterDunningEvent,
  type DunningEvent,
  type DunningNotice,
  type DunningOutcome,
  type DunningPlace,
  type DunningPolicy,
  type DunningStanding,
  type DunningStep,
  type DunningWaking,
  defaultDunningTerms,
  dunningBegun,
  dunningPolicy,
  nextDunningStep,
  nextWaking,
  noticesOfAccess,
  noticesOfBeginning,
  noticesOfEnding,
  noticesOfEvent,
  noticesOfStep,
} from "../domain/lifecycle/index.ts";
import { databaseActivities, stripeActivities } from "./activity-options.ts";
import { type Clock, openClock } from "./clock.ts";
import { dunningDetails, stateOfStep } from "./dunning-details.ts";
import {
  type DunningInput,
  disputeChanged,
  dunningCommanded,
  invoiceChanged,
  paymentMethodUpdated,
} from "./messages.ts";
import { orPark } from "./park.ts";
import { searchAttributes } from "./search-attributes.ts";
import { untilBooked } from "./until-booked.ts";

/**
 * What follows a declined charge: attempts by the policy that is in force when it begins, one at once when the customer
 * brings a new payment method or an operator asks for it, recovery from any point when the invoice is paid otherwise, and
 * the policy's final action when nothing helped. Decides by `nextDunningStep`, as the calculator does. Id: `dunning/{invoice}`.
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
  readonly #clock: Clock;
  #policy: DunningPolicy = dunningPolicy(defaultDunningTerms);
  #place: DunningPlace = { timeZone: "UTC", learntHour: null };
  #standing: DunningStanding;
  #attempts = 1;
  /** Something was booked: the invoice may be paid by now. */
  #hasChanged = false;
  /** How many things came from outside. */
  #told = 0;
  #lastKind: DunningStep["kind"] | null = null;
  /** What is to be said with the next thing that is noted. */
  #sayings: { fact: string; notices: readonly DunningNotice[] }[] = [];
  readonly #commands = new Set<string>();

  constructor({ invoiceId, startedAt, lastDecline, withheld }: DunningInput, clock: Clock) {
    this.#invoiceId = invoiceId;
    this.#clock = clock;
    this.#standing = dunningBegun(instant(startedAt), lastDecline);
    if (withheld !== undefined) {
      const until = withheld.until === null ? null : instant(withheld.until);
      this.#happen({ type: "withheld", at: this.#standing.startedAt, cause: "schedule", until });
    }
    this.#listen();
  }

  #listen(): void {
    const clock = this.#clock;
    setHandler(paymentMethodUpdated, (told) => {
      this.#hear({ type: "payment_method", at: clock.now() });
      clock.told(told);
    });
    setHandler(invoiceChanged, (told) => {
      this.#hasChanged = true;
      this.#told += 1;
      clock.told(told);
    });
    setHandler(disputeChanged, ({ disputeId, isOpen, ...told }) => {
      clock.told(told);
      const type = isOpen ? "dispute_opened" : "dispute_closed";
      this.#hear({ type, at: clock.now(), dispute: disputeId });
    });
    setHandler(dunningCommanded, (command) => {
      clock.told(command);
      // A command may be told twice; it is done once.
      if (this.#commands.has(command.requestId)) return;
      this.#commands.add(command.requestId);
      const at = clock.now();
      if (command.command === "retry") this.#hear({ type: "retry_asked", at });
      if (command.command === "stop") this.#hear({ type: "stopped", at });
      if (command.until !== undefined) this.#hear({ type: "postponed", at, until: instant(command.until) });
    });
  }

  async open(): Promise<void> {
    const invoiceId = this.#invoiceId;
    const { startedAt, lastDecline } = this.#standing;
    const facts = await orPark("opening the dunning", () =>
      databaseActivities.openDunning({ invoiceId, startedAt: isoOf(startedAt) }),
    );
    this.#policy = facts.policy;
    this.#place = facts;
    for (const dispute of facts.disputes) this.#happen({ type: "dispute_opened", at: startedAt, dispute });
    this.#say("begun", noticesOfBeginning(this.#policy, lastDecline));
  }

  /** One thing that happens; null as long as the dunning goes on. */
  async step(): Promise<DunningOutcome | null> {
    // What came while a charge was under way counts before the schedule does: the invoice may be paid by now.
    if (this.#hasChanged) await this.#readInvoice();
    const now = this.#clock.now();
    const step = nextDunningStep(this.#policy, this.#standing, now, this.#place);
    this.#say(`asked/${this.#attempts}`, noticesOfStep(this.#policy, this.#lastKind, step));
    this.#lastKind = step.kind;
    if (step.kind === "end") return step.outcome;
    if (step.kind === "attempt" && step.at <= now) {
      await this.#attempt(step.cause);
      return null;
    }
    await this.#wait(step, nextWaking(this.#policy, this.#standing, step, now));
    return null;
  }

  async finish(last: DunningOutcome): Promise<DunningOutcome> {
    const invoiceId = this.#invoiceId;
    const attempts = this.#attempts;
    const at = isoOf(this.#clock.now());
    const outcome = last === "exhausted" ? await this.#giveUp(at) : last;
    this.#say("ended", noticesOfEnding(this.#policy, outcome));
    upsertSearchAttributes([{ key: searchAttributes.billingStatus, value: outcome }]);
    setCurrentDetails(`Invoice ${invoiceId}: ${outcome} after ${attempts} attempts.`);
    const sayings = this.#sayings;
    await orPark("ending the dunning", () =>
      databaseActivities.endDunning({ invoiceId, outcome, attempts, at, sayings }),
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

  async #readInvoice(): Promise<void> {
    const invoiceId = this.#invoiceId;
    this.#hasChanged = false;
    const { status } = await orPark("reading the invoice", () =>
      databaseActivities.readInvoiceStatus({ invoiceId }),
    );
    if (status === "open") return;
    this.#happen({ type: "settled", at: this.#clock.now(), by: status === "paid" ? "payment" : "void" });
  }

  /** Until something is due, or somebody says something. */
  async #wait(step: Exclude<DunningStep, { kind: "end" }>, waking: DunningWaking): Promise<void> {
    const heard = this.#told;
    await this.#show(step);
    await this.#clock.until(waking.at, () => this.#told > heard);
    if (this.#told > heard) return;
    const at = this.#clock.now();
    if (waking.for === "access") {
      this.#say(`access/${waking.level}`, noticesOfAccess(this.#policy, waking.level));
    }
    if (waking.for === "reminder") this.#happen({ type: "action_reminded", at });
    if (waking.for === "step" && step.kind === "await_action") this.#happen({ type: "action_expired", at });
  }

  /** One charge. */
  async #attempt(cause: AttemptCause): Promise<void> {
    const invoiceId = this.#invoiceId;
    this.#attempts += 1;
    const attempt = this.#attempts;
    const now = this.#clock.now();
    const at = isoOf(now);
    upsertSearchAttributes([{ key: searchAttributes.dunningAttempt, value: attempt }]);
    this.#hasChanged = false;
    this.#happen({ type: "attempted", at: now });
    const outcome = await orPark(`attempt ${attempt}`, () =>
      stripeActivities().payInvoice({ invoiceId, attempt, cause, at }),
    );
    if (outcome.status === "declined") {
      this.#happen({ type: "declined", at: now, cause, decline: outcome.declineClass });
    } else if (outcome.status === "withheld") {
      const until = outcome.until === null ? null : instant(outcome.until);
      this.#happen({ type: "withheld", at: now, cause, until });
    } else {
      await untilBooked(invoiceId, at, () => this.#hasChanged);
      this.#happen({ type: "settled", at: now, by: "payment" });
    }
  }

  #hear(event: DunningEvent): void {
    this.#told += 1;
    this.#happen(event);
  }

  #happen(event: DunningEvent): void {
    this.#say(`attempt/${this.#attempts}`, noticesOfEvent(this.#policy, this.#standing, event));
    this.#standing = afterDunningEvent(this.#policy, this.#standing, event);
  }

  #say(fact: string, notices: readonly DunningNotice[]): void {
    if (notices.length > 0) this.#sayings.push({ fact, notices });
  }

  /** Says in the UI and in the database what comes next. */
  async #show(step: Exclude<DunningStep, { kind: "end" }>): Promise<void> {
    const invoiceId = this.#invoiceId;
    const attempts = this.#attempts;
    const next: Instant | null = step.kind === "await_dispute" ? null : step.at;
    upsertSearchAttributes([
      { key: searchAttributes.nextActionAt, value: next === null ? null : new Date(next) },
    ]);
    setCurrentDetails(dunningDetails(invoiceId, attempts, step, this.#policy));
    const sayings = this.#sayings;
    this.#sayings = [];
    await orPark("noting what comes next", () =>
      databaseActivities.noteDunning({
        invoiceId,
        at: isoOf(this.#clock.now()),
        attempts,
        state: stateOfStep[step.kind],
        nextAt: next === null ? null : isoOf(next),
        why: step.why,
        sayings,
      }),
    );
  }
}
