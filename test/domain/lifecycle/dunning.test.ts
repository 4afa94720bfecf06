import { describe, expect, test } from "vitest";
import { type Instant, instant, isoOf } from "../../../src/domain/calendar/index.ts";
import {
  accessAt,
  afterDunningEvent,
  type DeclineClass,
  type DunningEvent,
  type DunningTerms,
  dunningBegun,
  dunningPolicy,
  hourOfMostPayments,
  nextDunningStep,
  strictestAccess,
} from "../../../src/domain/lifecycle/index.ts";

/** The first charge fails on 1 June 2026 at 09:30. */
const start = instant("2026-06-01T09:30:00Z");
const on = (day: number, time = "09:30") => instant(`2026-06-${String(day).padStart(2, "0")}T${time}:00Z`);
const terms: DunningTerms = { retryAfterDays: [3, 5, 7], finalAction: "cancel", accessGraceDays: 7 };

interface Situation {
  readonly terms?: Partial<DunningTerms>;
  readonly decline?: DeclineClass;
  readonly events?: readonly DunningEvent[];
  readonly now?: Instant;
  readonly timeZone?: string;
  readonly learntHour?: number;
}

/** What comes next, as `attempt 06-04T09:30 schedule`. */
function nextStep({
  terms: more,
  decline = "soft",
  events = [],
  now,
  timeZone = "UTC",
  learntHour,
}: Situation) {
  const policy = dunningPolicy({ ...terms, ...more });
  const standing = events.reduce(
    (before, event) => afterDunningEvent(policy, before, event),
    dunningBegun(start, decline),
  );
  const last = events.at(-1)?.at ?? start;
  const step = nextDunningStep(policy, standing, now ?? last, { timeZone, learntHour: learntHour ?? null });
  if (step.kind === "end") return `end ${step.outcome}`;
  if (step.kind === "await_dispute") return step.kind;
  return `${step.kind} ${isoOf(step.at).slice(5, 16)} ${step.why}`;
}

const declined = (at: Instant, decline: DeclineClass = "soft"): DunningEvent => ({
  type: "declined",
  at,
  cause: "schedule",
  decline,
});

describe("the schedule", () => {
  test.each<Situation & { next: string; why: string }>([
    { next: "attempt 06-04T09:30 schedule", why: "the first of three" },
    {
      events: [declined(on(4)), declined(on(6))],
      next: "attempt 06-08T09:30 schedule",
      why: "7 days after the first failure, not after the last",
    },
    {
      events: [declined(on(4)), declined(on(6)), declined(on(8))],
      next: "end exhausted",
      why: "it is used up",
    },
    {
      terms: { giveUpAfterDays: 10 },
      events: [declined(on(4)), declined(on(6)), declined(on(8))],
      next: "await_payment_method 06-11T09:30 no_attempt_left",
      why: "a card is waited for until day 10",
    },
    {
      terms: { schedule: { attempts: [{ hours: 4 }, { days: 1, hours: 12 }] } },
      events: [declined(on(1, "13:30"))],
      next: "attempt 06-02T21:30 schedule",
      why: "36 hours",
    },
    {
      terms: { schedule: { countedFrom: "previous_attempt", attempts: [{ days: 1 }, { days: 3 }] } },
      events: [declined(on(2, "11:00"))],
      next: "attempt 06-05T11:00 schedule",
      why: "3 days after the attempt before",
    },
  ])("$next: $why", ({ next, ...situation }) => {
    expect(nextStep(situation)).toBe(next);
  });
});

describe("kinds of decline", () => {
  const declines: DunningTerms["declines"] = {
    insufficientFunds: { attempts: [{ days: 10 }, { days: 20 }] },
    processingError: { attempts: [{ hours: 1 }, { hours: 6 }] },
    hard: { attempts: [{ days: 30 }] },
  };
  test.each<Situation & { next: string; why: string }>([
    {
      decline: "hard",
      next: "await_payment_method 06-08T09:30 decline_needs_other_method",
      why: "never this card",
    },
    {
      decline: "insufficient_funds",
      next: "attempt 06-04T09:30 schedule",
      why: "as others, where nothing is said",
    },
    {
      terms: { declines },
      decline: "insufficient_funds",
      next: "attempt 06-11T09:30 schedule",
      why: "after the next payday",
    },
    {
      terms: { declines },
      decline: "processing_error",
      next: "attempt 06-01T10:30 schedule",
      why: "an hour later",
    },
    {
      terms: { declines },
      decline: "hard",
      next: "attempt 07-01T09:30 schedule",
      why: "a schedule if wished",
    },
    {
      terms: { declines },
      decline: "processing_error",
      events: [declined(on(1, "10:30"), "soft")],
      next: "attempt 06-06T09:30 schedule",
      why: "the second attempt of the schedule of the last decline",
    },
    {
      terms: { declines: { soft: "await_payment_method" } },
      next: "await_payment_method 06-08T09:30 decline_needs_other_method",
      why: "no card is tried twice",
    },
  ])("$next: $why", ({ next, ...situation }) => {
    expect(nextStep(situation)).toBe(next);
  });
});

describe("hours", () => {
  const quietHours = { from: "22:00", to: "08:00" };
  test.each<Situation & { next: string; why: string }>([
    {
      terms: { quietHours },
      timeZone: "America/Los_Angeles",
      next: "attempt 06-04T15:00 quiet_hours",
      why: "02:30 in California is quiet until 08:00 there",
    },
    {
      terms: { quietHours },
      timeZone: "Europe/Berlin",
      next: "attempt 06-04T09:30 schedule",
      why: "11:30 in Berlin",
    },
    { terms: { timeOfDay: { hour: 14 } }, next: "attempt 06-04T14:00 time_of_day", why: "the policy's hour" },
    {
      terms: { timeOfDay: { hour: 6 } },
      next: "attempt 06-05T06:00 time_of_day",
      why: "never before it is due",
    },
    {
      terms: { timeOfDay: { hour: 14, learnt: true } },
      learntHour: 19,
      next: "attempt 06-04T19:00 time_of_day",
      why: "the hour at which payments used to succeed",
    },
    {
      terms: { timeOfDay: { hour: 14, learnt: true } },
      next: "attempt 06-04T14:00 time_of_day",
      why: "nothing was learnt",
    },
    {
      terms: { timeOfDay: { learnt: true }, quietHours },
      learntHour: 23,
      next: "attempt 06-05T08:00 quiet_hours",
      why: "what was learnt does not make it loud at night",
    },
    {
      terms: { timeOfDay: { hour: 14 }, schedule: { attempts: [{ hours: 4 }] } },
      next: "attempt 06-01T13:30 schedule",
      why: "attempts counted in hours keep theirs",
    },
    {
      terms: { quietHours },
      now: on(4, "23:10"),
      next: "attempt 06-05T08:00 quiet_hours",
      why: "what is late by itself does not wake anybody",
    },
  ])("$next: $why", ({ next, ...situation }) => {
    expect(nextStep(situation)).toBe(next);
  });

  test.each([
    {
      at: "2026-03-29T00:30:00Z",
      zone: "Europe/Berlin",
      to: "02:30",
      end: "2026-03-29T01:30:00.000Z",
      why: "02:30 is left out",
    },
    {
      at: "2026-10-25T01:10:00Z",
      zone: "Europe/Berlin",
      to: "02:30",
      end: "2026-10-25T01:30:00.000Z",
      why: "quiet twice",
    },
  ])("quiet until $to, $why: $end", ({ at, zone, to, end }) => {
    const policy = dunningPolicy({
      ...terms,
      schedule: { attempts: [{ days: 1 }] },
      quietHours: { from: "00:00", to },
    });
    const failed = instant(at);
    const standing = dunningBegun((failed - 86_400_000) as Instant, "soft");
    const step = nextDunningStep(policy, standing, failed, { timeZone: zone, learntHour: null });
    expect(step).toMatchObject({ kind: "attempt", at: instant(end) });
  });

  test("the hour of most payments; of several the earliest; none without payments", () => {
    const paid = ["06-01T07:10", "06-02T19:00", "06-03T19:59", "06-04T07:59"].map((time) =>
      instant(`2026-${time}:00Z`),
    );
    expect(hourOfMostPayments(paid, "UTC")).toBe(7);
    expect(hourOfMostPayments(paid.slice(0, 3), "Europe/Berlin")).toBe(21);
    expect(hourOfMostPayments([], "UTC")).toBeNull();
  });
});

describe("what happens meanwhile", () => {
  const attempted: DunningEvent = { type: "attempted", at: on(3) };
  test.each<Situation & { next: string; why: string }>([
    {
      events: [{ type: "payment_method", at: on(2) }],
      next: "attempt 06-02T09:30 new_payment_method",
      why: "a new card is tried at once",
    },
    {
      events: [
        { type: "payment_method", at: on(3) },
        attempted,
        { type: "declined", at: on(3), cause: "new_payment_method", decline: "soft" },
      ],
      next: "attempt 06-04T09:30 schedule",
      why: "and uses up nothing of the schedule",
    },
    {
      events: [attempted, { type: "payment_method", at: on(3) }, declined(on(3))],
      next: "attempt 06-03T09:30 new_payment_method",
      why: "also when it comes while another charge is under way",
    },
    {
      events: [{ type: "postponed", at: on(2), until: on(5) }],
      next: "attempt 06-05T09:30 postponed",
      why: "an operator gives time",
    },
    {
      decline: "hard",
      events: [{ type: "postponed", at: on(2), until: on(20) }],
      next: "await_payment_method 06-20T09:30 decline_needs_other_method",
      why: "nothing is given up before",
    },
    {
      events: [{ type: "retry_asked", at: on(2) }],
      next: "attempt 06-02T09:30 asked_by_operator",
      why: "an operator asks for it",
    },
    { events: [{ type: "stopped", at: on(2) }], next: "end stopped", why: "an operator ends it" },
    { events: [{ type: "settled", at: on(2), by: "payment" }], next: "end recovered", why: "it was paid" },
    {
      events: [
        { type: "settled", at: on(2), by: "void" },
        { type: "payment_method", at: on(3) },
      ],
      next: "end closed",
      why: "what has ended stays ended",
    },
    {
      events: [{ type: "dispute_opened", at: on(2), dispute: "dp_1" }],
      next: "await_dispute",
      why: "nothing is done while it is disputed",
    },
    {
      events: [
        { type: "dispute_opened", at: on(2), dispute: "dp_1" },
        { type: "dispute_opened", at: on(3), dispute: "dp_2" },
        { type: "dispute_closed", at: on(10), dispute: "dp_1" },
        { type: "dispute_closed", at: on(12), dispute: "dp_2" },
      ],
      next: "attempt 06-14T09:30 schedule",
      why: "the schedule stood still for 10 days",
    },
    {
      events: [attempted, { type: "withheld", at: on(4), cause: "schedule", until: on(9) }],
      next: "attempt 06-09T09:30 card_limit",
      why: "the network's limit is waited for, and no attempt is lost",
    },
    {
      events: [attempted, { type: "withheld", at: on(4), cause: "schedule", until: null }],
      next: "await_payment_method 06-08T09:30 card_may_not_be_charged",
      why: "never again",
    },
    {
      decline: "hard",
      events: [
        { type: "payment_method", at: on(2) },
        { type: "attempted", at: on(2) },
        { type: "withheld", at: on(2), cause: "new_payment_method", until: on(4) },
      ],
      next: "attempt 06-04T09:30 card_limit",
      why: "a new card whose charge was withheld is charged when it may be",
    },
  ])("$next: $why", ({ next, ...situation }) => {
    expect(nextStep(situation)).toBe(next);
  });
});

describe("a payment that the customer has to confirm", () => {
  const authentication = { waitHours: 48 };
  test.each<Situation & { next: string; why: string }>([
    {
      terms: { authentication },
      decline: "authentication",
      next: "await_action 06-03T09:30 confirmation_asked",
      why: "48 hours are given",
    },
    {
      terms: { authentication },
      decline: "authentication",
      events: [{ type: "action_expired", at: on(3) }],
      next: "await_payment_method 06-08T09:30 decline_needs_other_method",
      why: "then it has failed",
    },
    {
      terms: {
        authentication: { waitHours: 120 },
        declines: { authentication: { attempts: [{ days: 3 }, { days: 6 }] } },
      },
      decline: "authentication",
      events: [{ type: "action_expired", at: on(6) }],
      next: "attempt 06-07T09:30 schedule",
      why: "what passed meanwhile is not made up for",
    },
    {
      terms: { authentication },
      decline: "authentication",
      events: [{ type: "payment_method", at: on(2) }],
      next: "attempt 06-02T09:30 new_payment_method",
      why: "another card needs no confirmation of the first",
    },
  ])("$next: $why", ({ next, ...situation }) => {
    expect(nextStep(situation)).toBe(next);
  });
});

describe("access", () => {
  const stepped = dunningPolicy({
    ...terms,
    access: [
      { days: 3, level: "limited" },
      { days: 14, level: "ended" },
    ],
  });
  test.each([
    { day: 1, level: "granted", next: "limited 06-04T09:30" },
    { day: 4, level: "limited", next: "ended 06-15T09:30" },
    { day: 15, level: "ended", next: null },
  ])("on day $day: $level, then $next", ({ day, level, next }) => {
    const access = accessAt(stepped, start, on(day));
    expect(access.level).toBe(level);
    expect(access.next && `${access.next.level} ${isoOf(access.next.at).slice(5, 16)}`).toBe(next);
  });

  test("of several invoices the strictest counts, and what is stricter next", () => {
    const one = accessAt(stepped, start, on(4));
    const other = accessAt(dunningPolicy(terms), on(3), on(4));
    expect(strictestAccess([one, other])).toEqual({ level: "limited", next: { at: on(10), level: "ended" } });
    expect(strictestAccess([])).toEqual({ level: "granted", next: null });
  });
});
