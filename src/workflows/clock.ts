import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  setHandler,
  sleep,
  workflowInfo,
} from "@temporalio/workflow";
import { type Instant, instant, isoOf } from "../domain/calendar/index.ts";
import {
  type ClockReading,
  clockWaiting,
  clockWake,
  expectSettling,
  type Told,
  workflowIds,
} from "./messages.ts";

/**
 * The only way workflow code learns the time or lets it pass. On the wall clock it is Temporal's own timer; for a
 * customer on a test clock the clock's run wakes us, and it moves on only when all that was announced is settled.
 */
export interface Clock {
  now(): Instant;
  /** What to hand to a run that is started from here. */
  reading(): ClockReading | null;
  /** What to hand to this run's own continuation: nothing unsettled is lost. */
  carry(): ClockReading | null;
  /** Waits until `at`, or until `woken` is true; null waits for `woken` alone. Answers whether the instant has come. */
  until(at: Instant | null, woken?: () => boolean): Promise<boolean>;
  /** Says that a run is about to start or to be told something: time stands still until it has settled. */
  expect(token: string): Promise<void>;
  /** What a message says of time: it is no earlier than this, and the token is settled when this run next waits. */
  told(message: Told): void;
  /** Tells the clock at once when this run next wants to be woken, before an answer leaves it. */
  announce(wakeAt: Instant | null): Promise<void>;
  /** The last word of a run. */
  close(): Promise<void>;
}

export function openClock(reading: ClockReading | null): Clock {
  return reading === null ? wallClock() : testClockOf(reading);
}

/** The token under which a run is announced before it is started. */
export const startToken = (workflowId: string) => `start:${workflowId}`;
/** Which run such a token is of. */
export const startedBy = (token: string) => token.slice("start:".length);

function wallClock(): Clock {
  const nothing = async () => {};
  let timer: Timer | null = null;
  /** Whoever is woken in between mostly waits for the same instant again, and then needs no other timer. */
  const timerUntil = (at: Instant): Timer => {
    if (timer?.at === at) return timer;
    timer?.cancel();
    timer = startTimer(at);
    return timer;
  };
  return {
    now: () => instant(new Date(Date.now()).toISOString()),
    reading: () => null,
    carry: () => null,
    until: async (at, woken = () => false) => {
      if (at === null) {
        await condition(woken);
        return false;
      }
      if (at <= Date.now()) return true;
      const started = timerUntil(at);
      await condition(() => started.isOver || woken());
      return started.isOver;
    },
    expect: nothing,
    told: () => {},
    announce: nothing,
    close: nothing,
  };
}

interface Timer {
  readonly at: Instant;
  isOver: boolean;
  cancel(): void;
}

function startTimer(at: Instant): Timer {
  const scope = new CancellationScope();
  const timer = { at, isOver: false, cancel: () => scope.cancel() };
  const over = () => {
    timer.isOver = true;
  };
  scope.run(() => sleep(at - Date.now())).then(over, () => {});
  return timer;
}

function testClockOf(reading: ClockReading): Clock {
  const { workflowId } = workflowInfo();
  const clock = getExternalWorkflowHandle(workflowIds.testClock(reading.clockId));
  let now = instant(reading.now);
  let held: string[] = [...(reading.tokens ?? [startToken(workflowId)])];

  setHandler(clockWake, (wake) => {
    reach(wake.now);
    held.push(wake.token);
  });

  function reach(at: string): void {
    if (instant(at) > now) now = instant(at);
  }

  async function announce(wakeAt: Instant | null): Promise<void> {
    const settles = held;
    held = [];
    await clock.signal(clockWaiting, {
      workflowId,
      wakeAt: wakeAt === null ? null : isoOf(wakeAt),
      settles,
    });
  }

  return {
    now: () => now,
    reading: () => ({ clockId: reading.clockId, now: isoOf(now) }),
    carry: () => ({ clockId: reading.clockId, now: isoOf(now), tokens: held }),
    async until(at, woken = () => false) {
      const over = () => woken() || (at !== null && now >= at);
      while (!over()) {
        await announce(at);
        await condition(() => over() || held.length > 0);
      }
      return at !== null && now >= at;
    },
    expect: (token) => clock.signal(expectSettling, { token }),
    told: ({ token, at }) => {
      if (token !== undefined) held.push(token);
      if (at !== undefined) reach(at);
    },
    announce,
    async close() {
      // What is told to this run while it says goodbye is settled too.
      do await announce(null);
      while (held.length > 0);
    },
  };
}
