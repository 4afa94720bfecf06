import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";
import { databaseActivities } from "./activity-options.ts";
import { startedBy } from "./clock.ts";
import { advance, clockWaiting, clockWake, expectSettling, type TestClockInput } from "./messages.ts";

/**
 * A clock that can be moved, with everything that sleeps on it. On `advance(to)` it wakes the sleepers in the order
 * of their instants (those of one instant together), waits until each has settled, with everything it started, and
 * moves on. Time also stands still while anything announced is unsettled, so a year runs in seconds, in one order.
 *
 * Id: `clock/{id}`. Update `advance`: refused backwards and while an earlier advance is under way. The database row
 * is moved before anybody is woken, so that all that is read and written during a step carries the step's instant.
 */
export async function testClock(input: TestClockInput): Promise<void> {
  const run = new ClockRun(input);
  for (;;) {
    run.describe();
    // Who says that it should have been woken before now was told of time late: it is woken without an advance.
    await condition(() => run.isAdvancing || run.nextInstant() !== undefined || isLong());
    await run.settled();
    for (let next = run.nextInstant(); next !== undefined; next = run.nextInstant()) {
      await run.moveOn(next);
      if (isLong()) break;
    }
    if (isLong()) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof testClock>(run.carry());
    }
    if (run.isAdvancing) await run.arrive();
  }
}

const isLong = () => workflowInfo().continueAsNewSuggested;

/** What a clock holds between its tasks. */
class ClockRun {
  readonly #clockId: string;
  #now: string;
  #target: string;
  #wakes: number;
  #state: "ready" | "setting_out" | "advancing";
  readonly #wakeAtOf: Map<string, string>;
  readonly #expected: Set<string>;
  /** A settling can overtake its announcement; it must not be waited for when that comes. */
  readonly #settledEarly: Set<string>;
  /** Starts that may never happen, and in how many seconds they have, if they do. */
  readonly #announced: Map<string, number>;

  constructor(input: TestClockInput) {
    this.#clockId = input.clockId;
    this.#now = input.now;
    this.#target = input.target ?? input.now;
    this.#wakes = input.wakes ?? 0;
    this.#state = input.isAdvancing ? "advancing" : "ready";
    this.#wakeAtOf = new Map((input.waiters ?? []).map(({ workflowId, wakeAt }) => [workflowId, wakeAt]));
    this.#expected = new Set(input.expected ?? []);
    this.#settledEarly = new Set(input.settledEarly ?? []);
    this.#announced = new Map(
      (input.announced ?? []).map(({ token, startsWithinSeconds = 0 }) => [token, startsWithinSeconds]),
    );
    setHandler(expectSettling, ({ token, startsWithinSeconds }) => {
      if (!this.#settledEarly.delete(token)) {
        this.#expected.add(token);
        if (startsWithinSeconds !== undefined) this.#announced.set(token, startsWithinSeconds);
      }
      this.describe();
    });
    setHandler(clockWaiting, ({ workflowId, wakeAt, settles }) => {
      if (wakeAt === null) this.#wakeAtOf.delete(workflowId);
      else this.#wakeAtOf.set(workflowId, wakeAt);
      for (const token of settles) {
        this.#announced.delete(token);
        if (!this.#expected.delete(token)) this.#settledEarly.add(token);
      }
      this.describe();
    });
    setHandler(advance, ({ to }) => this.#setOut(to), { validator: ({ to }) => this.#admit(to) });
  }

  get isAdvancing(): boolean {
    return this.#state === "advancing";
  }

  /** Waits for all that is expected, but no longer than it was said for a run that nobody has started. */
  async settled(): Promise<void> {
    const isSettled = () => this.#expected.size === 0;
    while (!isSettled() && this.#announced.size > 0) {
      const [announced] = [...this.#announced].toSorted(([, one], [, other]) => one - other);
      const [token, seconds] = announced ?? ["", 0];
      if (await condition(() => isSettled() || !this.#announced.has(token), seconds * 1_000)) continue;
      this.#announced.delete(token);
      const { hasRun } = await databaseActivities.findStarted({ workflowId: startedBy(token) });
      if (!hasRun) this.#expected.delete(token);
    }
    await condition(isSettled);
  }

  nextInstant(): string | undefined {
    const instants = [...this.#wakeAtOf.values()].filter((wakeAt) => wakeAt <= this.#target);
    return instants.sort()[0];
  }

  /** Wakes all that sleep until an instant, and waits until they have settled. */
  async moveOn(next: string): Promise<void> {
    if (next > this.#now) {
      this.#now = next;
      await this.#move(false);
    }
    this.describe();
    this.#wakeDue();
    await this.settled();
  }

  async arrive(): Promise<void> {
    this.#now = this.#target;
    // Whoever reads that the clock is ready may move it at once.
    this.#state = "ready";
    await this.#move(true);
  }

  carry(): TestClockInput {
    return {
      clockId: this.#clockId,
      now: this.#now,
      target: this.#target,
      isAdvancing: this.isAdvancing,
      waiters: [...this.#wakeAtOf].map(([workflowId, wakeAt]) => ({ workflowId, wakeAt })),
      expected: [...this.#expected],
      settledEarly: [...this.#settledEarly],
      announced: [...this.#announced].map(([token, startsWithinSeconds]) => ({ token, startsWithinSeconds })),
      wakes: this.#wakes,
    };
  }

  /** Whoever wonders why the clock stands reads here which runs have not settled; a parked one is among them. */
  describe(): void {
    const waiting = [...this.#expected].slice(0, 20).map((token) => `- waits for \`${token}\``);
    setCurrentDetails(
      [
        `**${this.#now}**, ${this.#wakeAtOf.size} sleeping`,
        this.#state === "ready" ? "ready" : `advancing to ${this.#target}`,
        ...waiting,
      ].join("\n\n"),
    );
  }

  #admit(to: string): void {
    if (this.#state !== "ready") {
      throw refusal("test_clock_busy", `the clock is on its way to ${this.#target}`);
    }
    if (to < this.#now) {
      throw refusal("test_clock_backwards", `the clock is at ${this.#now} and only goes forward`);
    }
  }

  async #setOut(to: string): Promise<{ target: string }> {
    this.#state = "setting_out";
    await databaseActivities.moveTestClock({
      clockId: this.#clockId,
      now: this.#now,
      target: to,
      isSettled: false,
    });
    this.#target = to;
    this.#state = "advancing";
    this.describe();
    return { target: to };
  }

  #wakeDue(): void {
    const due = [...this.#wakeAtOf].filter(([, wakeAt]) => wakeAt <= this.#now).map(([id]) => id);
    for (const workflowId of due.sort()) {
      this.#wakeAtOf.delete(workflowId);
      const token = `wake:${workflowId}:${++this.#wakes}`;
      this.#expected.add(token);
      // A run that ended meanwhile has nothing to settle.
      getExternalWorkflowHandle(workflowId)
        .signal(clockWake, { now: this.#now, token })
        .catch(() => this.#expected.delete(token));
    }
    this.describe();
  }

  async #move(isSettled: boolean): Promise<void> {
    const place = { clockId: this.#clockId, now: this.#now, target: this.#target };
    await databaseActivities.moveTestClock({ ...place, isSettled });
  }
}

function refusal(code: string, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, code);
}
