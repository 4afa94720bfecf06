import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type ChargeOutcome,
  calculateDunningSchedule,
  type DunningCourse,
  type DunningHappening,
} from "../../../src/domain/calculators/index.ts";
import { type Instant, instant, instantOfEpochMs } from "../../../src/domain/calendar/index.ts";
import { type CatalogInvalidError, parseDunningTerms } from "../../../src/domain/catalog/index.ts";
import {
  accessLevels,
  type DunningTerms,
  declineClasses,
  dunningPolicy,
  finalActions,
  isQuiet,
  minuteOf,
} from "../../../src/domain/lifecycle/index.ts";

/** Whatever a policy says and whatever happens: what is true of every dunning. */

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const failedAt = instant("2026-03-20T07:15:00Z");

const anyDelay = fc.oneof(
  fc.integer({ min: 1, max: 40 }).map((days) => ({ days })),
  fc.integer({ min: 1, max: 23 }).map((hours) => ({ hours })),
);
const anySchedule = fc.record(
  {
    countedFrom: fc.constantFrom("first_failure" as const, "previous_attempt" as const),
    attempts: fc.array(anyDelay, { maxLength: 8 }),
  },
  { requiredKeys: ["attempts"] },
);
const anyTime = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom("00", "30"))
  .map(([hour, minutes]) => `${String(hour).padStart(2, "0")}:${minutes}`);
const anyRule = fc.oneof(fc.constant("await_payment_method" as const), anySchedule);

/** Terms that the catalog would take. */
const anyTerms: fc.Arbitrary<DunningTerms> = fc
  .record(
    {
      finalAction: fc.constantFrom(...finalActions),
      accessGraceDays: fc.integer({ min: 0, max: 30 }),
      schedule: anySchedule,
      declines: fc.record(
        { insufficientFunds: anyRule, processingError: anyRule, hard: anyRule, authentication: anyRule },
        { requiredKeys: [] },
      ),
      quietHours: fc.record({ from: anyTime, to: anyTime }),
      timeOfDay: fc.record({ hour: fc.integer({ min: 0, max: 23 }), learnt: fc.boolean() }),
      authentication: fc.record({
        waitHours: fc.integer({ min: 2, max: 200 }),
        remindAfterHours: fc.constant(1),
      }),
    },
    { requiredKeys: ["finalAction", "accessGraceDays"] },
  )
  .map(taken)
  .filter((terms) => terms !== null);

function taken(input: object): DunningTerms | null {
  try {
    return parseDunningTerms(input);
  } catch (error) {
    if ((error as CatalogInvalidError).code !== "catalog_invalid") throw error;
    return null;
  }
}

const anyMoment = fc.integer({ min: 0, max: 90 * dayMs }).map((ms) => instantOfEpochMs(failedAt + ms));
const anyOutcome: fc.Arbitrary<ChargeOutcome> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .constantFrom(...declineClasses)
      .map((decline) => ({ status: "declined" as const, decline })),
  },
  { weight: 1, arbitrary: fc.constant({ status: "paid" as const }) },
  { weight: 2, arbitrary: anyMoment.map((until) => ({ status: "withheld" as const, until })) },
  { weight: 1, arbitrary: fc.constant({ status: "withheld" as const, until: null }) },
);
const anyHappening: fc.Arbitrary<DunningHappening> = fc.oneof(
  fc.record({
    type: fc.constantFrom("new_payment_method" as const, "retry_now" as const),
    at: anyMoment,
    outcome: anyOutcome,
  }),
  fc.record({ type: fc.constant("postponed" as const), at: anyMoment, until: anyMoment }),
  fc.record({ type: fc.constantFrom("dispute_opened" as const, "dispute_closed" as const), at: anyMoment }),
  fc.record({ type: fc.constantFrom("paid" as const, "voided" as const, "stopped" as const), at: anyMoment }),
);
const anyZone = fc.constantFrom(
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
);

const anyCourse = fc
  .record({
    terms: anyTerms,
    timeZone: anyZone,
    learntHour: fc.option(fc.integer({ min: 0, max: 23 })),
    decline: fc.constantFrom(...declineClasses),
    scheduled: fc.array(anyOutcome, { maxLength: 10 }),
    events: fc.array(anyHappening, { maxLength: 6 }),
  })
  .map(({ terms, timeZone, learntHour, ...rest }) => {
    const question = { ...rest, policy: dunningPolicy(terms), place: { timeZone, learntHour }, failedAt };
    return { terms, question, course: calculateDunningSchedule(question) };
  });

const scheduled = ({ attempts }: DunningCourse) => attempts.filter(({ cause }) => cause === "schedule");

test("it comes to an end, in the order of time, and nothing follows the end", () => {
  fc.assert(
    fc.property(anyCourse, ({ course }) => {
      const times = course.attempts.map(({ at }) => at);
      expect(times).toEqual(times.toSorted((one, other) => one - other));
      expect(times.every((at) => at <= course.endedAt)).toBe(true);
      const from = course.states.map((state) => state.from);
      expect(from).toEqual(from.toSorted((one, other) => one - other));
      const [paid] = course.attempts.filter(({ outcome }) => outcome.status === "paid");
      if (paid !== undefined) expect([course.outcome, course.endedAt]).toEqual(["recovered", paid.at]);
    }),
    { numRuns: 500 },
  );
});

test("no attempt of a schedule is made in quiet hours", () => {
  fc.assert(
    fc.property(anyCourse, ({ terms, question, course }) => {
      if (terms.quietHours === undefined) return;
      const quiet = { from: minuteOf(terms.quietHours.from), to: minuteOf(terms.quietHours.to) };
      const { timeZone } = question.place;
      expect(scheduled(course).filter(({ at }) => isQuiet(quiet, at, timeZone))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("a schedule makes no more attempts than it has, what was withheld aside", () => {
  fc.assert(
    fc.property(anyCourse, ({ question, course }) => {
      const most = Math.max(
        0,
        ...Object.values(question.policy.declines).map((rule) =>
          rule === "await_payment_method" ? 0 : rule.attempts.length,
        ),
      );
      const made = scheduled(course).filter(({ outcome }) => outcome.status !== "withheld");
      expect(made.length).toBeLessThanOrEqual(most);
    }),
    { numRuns: 500 },
  );
});

test("what the customer and operators try shifts no attempt of the schedule", () => {
  const anyTries = fc.array(
    fc.tuple(anyMoment, fc.constantFrom("new_payment_method" as const, "retry_now" as const)),
    {
      maxLength: 8,
    },
  );
  const softly = { status: "declined", decline: "soft" } as const;
  fc.assert(
    fc.property(anyTerms, anyTries, anyZone, (terms, tries, timeZone) => {
      const ask = (events: readonly DunningHappening[]) =>
        calculateDunningSchedule({
          policy: dunningPolicy(terms),
          place: { timeZone, learntHour: null },
          failedAt,
          decline: "soft",
          scheduled: [],
          events,
        });
      const undisturbed = scheduled(ask([])).map(({ at }) => at);
      // A charge in the moment between an attempt's own instant and the one it was moved to stands for it.
      const moves = undisturbed.some((at) => !isDue(terms, at));
      const disturbed = scheduled(ask(tries.map(([at, type]) => ({ type, at, outcome: softly })))).map(
        ({ at }) => at,
      );
      if (moves) expect(disturbed.length).toBeLessThanOrEqual(undisturbed.length);
      else expect(disturbed).toEqual(undisturbed);
    }),
    { numRuns: 500 },
  );
});

/** Whether no quiet hour and no wished hour has moved an attempt. */
const isDue = ({ quietHours, timeOfDay }: DunningTerms, _at: Instant) =>
  quietHours === undefined && timeOfDay === undefined;

test("access never comes back by itself, and does not depend on attempts", () => {
  fc.assert(
    fc.property(anyCourse, ({ question, course }) => {
      const levels = course.states.slice(0, -1).map(({ access }) => accessLevels.indexOf(access));
      expect(levels).toEqual(levels.toSorted((one, other) => one - other));
      const alone = calculateDunningSchedule({ ...question, scheduled: [], events: [] });
      for (const { from, access } of course.states) {
        if (from >= course.endedAt || from >= alone.endedAt) continue;
        expect(access).toBe(alone.states.findLast((state) => state.from <= from)?.access);
      }
    }),
    { numRuns: 500 },
  );
});
