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
  const { clockId } = input;
  let now = input.now;
  let target = input.target ?? input.now;
  let wakes = input.wakes ?? 0;
  const wakeAtOf = new Map((input.waiters ?? []).map((waiter) => [waiter.workflowId, waiter.wakeAt]));
  const expected = new Set(input.expected ?? []);
  // A settling can overtake its announcement; it must not be waited for when that comes.
  const settledEarly = new Set(input.settledEarly ?? []);
  let state: "ready" | "setting_out" | "advancing" = input.isAdvancing ? "advancing" : "ready";

  setHandler(expectSettling, ({ token }) => {
    if (!settledEarly.delete(token)) expected.add(token);
    describe();
  });
  setHandler(clockWaiting, ({ workflowId, wakeAt, settles }) => {
    if (wakeAt === null) wakeAtOf.delete(workflowId);
    else wakeAtOf.set(workflowId, wakeAt);
    for (const token of settles) if (!expected.delete(token)) settledEarly.add(token);
    describe();
  });
  setHandler(
    advance,
    async ({ to }) => {
      state = "setting_out";
      await databaseActivities.moveTestClock({ clockId, now, target: to, isSettled: false });
      target = to;
      state = "advancing";
      describe();
      return { target };
    },
    {
      validator: ({ to }) => {
        if (state !== "ready") throw refusal("test_clock_busy", `the clock is on its way to ${target}`);
        if (to < now) throw refusal("test_clock_backwards", `the clock is at ${now} and only goes forward`);
      },
    },
  );

  const settled = () => condition(() => expected.size === 0);
  const nextInstant = () => {
    const instants = [...wakeAtOf.values()].filter((wakeAt) => wakeAt <= target).sort();
    return instants[0];
  };

  async function wakeDue(): Promise<void> {
    const due = [...wakeAtOf].filter(([, wakeAt]) => wakeAt <= now).map(([workflowId]) => workflowId);
    for (const workflowId of due.sort()) {
      wakeAtOf.delete(workflowId);
      const token = `wake:${workflowId}:${++wakes}`;
      expected.add(token);
      // A run that ended meanwhile has nothing to settle.
      getExternalWorkflowHandle(workflowId)
        .signal(clockWake, { now, token })
        .catch(() => expected.delete(token));
    }
    describe();
  }

  /** Whoever wonders why the clock stands reads here which runs have not settled; a parked one is among them. */
  function describe(): void {
    const waiting = [...expected].slice(0, 20).map((token) => `- waits for \`${token}\``);
    setCurrentDetails(
      [
        `**${now}**, ${wakeAtOf.size} sleeping`,
        state === "ready" ? "ready" : `advancing to ${target}`,
        ...waiting,
      ].join("\n\n"),
    );
  }

  for (;;) {
    describe();
    // Who says that it should have been woken before now was told of time late: it is woken without an advance.
    await condition(
      () => state === "advancing" || nextInstant() !== undefined || workflowInfo().continueAsNewSuggested,
    );
    await settled();
    for (let next = nextInstant(); next !== undefined; next = nextInstant()) {
      if (next > now) {
        now = next;
        await databaseActivities.moveTestClock({ clockId, now, target, isSettled: false });
      }
      describe();
      await wakeDue();
      await settled();
      if (workflowInfo().continueAsNewSuggested) break;
    }
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      const waiters = [...wakeAtOf].map(([workflowId, wakeAt]) => ({ workflowId, wakeAt }));
      await continueAsNew<typeof testClock>({
        clockId,
        now,
        target,
        isAdvancing: state === "advancing",
        waiters,
        expected: [...expected],
        settledEarly: [...settledEarly],
        wakes,
      });
    }
    if (state === "advancing") {
      now = target;
      // Whoever reads that the clock is ready may move it at once.
      state = "ready";
      await databaseActivities.moveTestClock({ clockId, now, target, isSettled: true });
    }
  }
}

function refusal(code: string, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, code);
}
