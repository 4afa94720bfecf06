import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyChange } from "../../src/activities/apply-change.ts";
import { applyScheduled } from "../../src/activities/apply-scheduled.ts";
import { closeDuePage } from "../../src/activities/close-due-page.ts";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import {
  endSubscription,
  scheduleCancellation,
  scheduleChange,
  withdrawScheduled,
} from "../../src/activities/schedule-change.ts";
import { publishedMeters } from "../../src/db/usage/meters-in-force.ts";
import { ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import type { SubscriptionChange } from "../../src/workflows/messages.ts";
import { dueAt, periodEnd, periodStart, publishPlans, subscribe } from "../activities/due-customers.ts";
import { pageOptions } from "../activities/page-options.ts";
import { openUsage, type UsageFixture } from "../db/usage-fixture.ts";
import { type Dice, diceOf, oneOf, seedsOf } from "../support/dice.ts";
import { expectInvariants } from "../support/invariants.ts";
import { cameTo } from "./races-came-to.ts";

/**
 * Two things that happen to one subscription at the same time, at generated distances: what comes of it is what comes of the
 * one after the other, or of the other after the one, to the last posting. Nothing lands in between.
 */
const isNightly = process.env.NIGHTLY === "1";
/** By each seed. */
const times = isNightly ? 40 : 3;
const seeds = seedsOf("RACES_SEED", [11, 2027, 60_601]);

let fixture: UsageFixture;
beforeAll(async () => {
  fixture = await openUsage({ poolSize: 6 });
  await publishPlans(fixture.db);
});
afterAll(() => fixture.close());

/** One subscription of a customer of its own, since January, on a plan with a base fee, seats and usage. */
interface Racer {
  readonly customerId: string;
  readonly subscriptionId: string;
}
type Deed = (racer: Racer) => Promise<unknown>;

interface Race {
  readonly before?: Deed;
  readonly one: Deed;
  readonly other: Deed;
}

let racers = 0;

/** The subscription's story with the two deeds done in some way, and what became of each. */
async function story(
  { before, one, other }: Race,
  way: (one: () => Promise<string>, other: () => Promise<string>) => Promise<string[]>,
) {
  const customerId = `racer-${String(++racers).padStart(5, "0")}`;
  const racer = { customerId, subscriptionId: await subscribe(fixture.db, customerId, 3) };
  await use(racer, "2026-01-10T10:00:00Z");
  await before?.(racer);
  const outcomes = await way(outcomeOf(one, racer), outcomeOf(other, racer));
  // Whatever came of it, the period is closed in the end: the next race's pages find nothing of this one.
  await close(racer);
  return [...outcomes, ...(await cameTo(fixture.db, customerId, racer.subscriptionId))];
}

const outcomeOf = (deed: Deed, racer: Racer) => async () => {
  try {
    await deed(racer);
    return "done";
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    return code;
  }
};

/** Fails when what comes of a race is neither what comes of the one first nor of the other first; of many both must have been. */
async function run(raceOf: (dice: Dice) => Race): Promise<void> {
  const counts = { oneFirst: 0, otherFirst: 0 };
  let isDifferent = false;
  for (const { dice, told } of turns()) {
    const { oneFirst, otherFirst, raced } = await raceOfTwo(raceOf(dice), dice);
    const same = (other: string[]) => JSON.stringify(raced) === JSON.stringify(other);
    isDifferent ||= JSON.stringify(oneFirst) !== JSON.stringify(otherFirst);
    if (same(oneFirst)) counts.oneFirst += 1;
    else if (same(otherFirst)) counts.otherFirst += 1;
    else expect(raced, `${told}, as if one were after the other`).toEqual(oneFirst);
  }
  await expectInvariants(fixture.db, { limits: { billing: 1e9 } });
  if (isNightly && isDifferent) expect(Math.min(...Object.values(counts))).toBeGreaterThan(0);
}

/** Every time of every seed. */
function* turns(): Generator<{ readonly dice: Dice; readonly told: string }> {
  for (const seed of seeds) {
    const dice = diceOf(seed);
    for (let time = 0; time < times; time++) yield { dice, told: `race ${time} of RACES_SEED=${seed}` };
  }
}

/** The same two deeds of three customers: one after the other, in both orders, and at once, at some distance. */
async function raceOfTwo(race: Race, dice: Dice) {
  const head = dice(31) - 15;
  const oneFirst = await story(race, async (one, other) => [await one(), await other()]);
  const otherFirst = await story(race, async (one, other) => {
    const second = await other();
    return [await one(), second];
  });
  const raced = await story(race, (one, other) =>
    Promise.all([delay(Math.max(0, head)).then(one), delay(Math.max(0, -head)).then(other)]),
  );
  return { oneFirst, otherFirst, raced };
}

async function use({ customerId }: Racer, time: string): Promise<void> {
  const data = { model: "large", tokens: 7_000 };
  const event = { id: `${customerId} ${time}`, source: "gateway", customerId, type: "request", data };
  await ingestEvents(fixture.db, [{ ...event, time: instant(time) }], await publishedMeters(fixture.db.orm));
}

const close: Deed = ({ subscriptionId }) =>
  closePeriodOnce(fixture.db, { subscriptionId, periodStart, at: dueAt }, { usageWaitMsMax: 0 });

const closeInPage: Deed = async () => {
  const deps = { db: fixture.db } as unknown as ActivityDependencies;
  const onFailure = (_id: string, error: unknown) => {
    throw error;
  };
  const page = { lane: 0, lanes: 1, after: null, limit: 100 };
  await closeDuePage(deps, page, { ...pageOptions(dueAt), onFailure });
};

const changing =
  (changeId: string, at: string, change: SubscriptionChange): Deed =>
  ({ subscriptionId }) =>
    applyChange(fixture.db, { subscriptionId, changeId, at, change });

/** What may follow itself and anything else: whether an end or a pause may is for the run to say, one after the other. */
function anyChangeOfItems(dice: Dice): SubscriptionChange {
  return oneOf<SubscriptionChange>(dice, [
    { kind: "change_quantity", seats: 1 + dice(9) },
    { kind: "change_quantity", seats: 1 + dice(9), settle: "next_invoice" },
    { kind: "change_plan", planKey: "supported", seats: 1 },
    { kind: "change_plan", planKey: "metered", seats: 2, anchor: "reset" },
  ]);
}

function anyChange(dice: Dice): SubscriptionChange {
  return oneOf<SubscriptionChange>(dice, [
    anyChangeOfItems(dice),
    anyChangeOfItems(dice),
    { kind: "pause" },
    { kind: "pause", usage: "refused" },
    { kind: "cancel", credit: "unused" },
    { kind: "cancel", credit: "none" },
  ]);
}

/** In the period, in the last moment of it, at the boundary, in the grace, and when it is closed. */
const instants = [
  "2026-01-20T00:00:00Z",
  "2026-01-31T23:59:59.999Z",
  periodEnd,
  "2026-02-01T00:30:00Z",
  dueAt,
];

test("a change while the period is closed lands wholly before or after that", {
  timeout: 600_000,
}, async () => {
  await run((dice) => ({
    one: changing("change", oneOf(dice, instants), anyChange(dice)),
    other: oneOf(dice, [close, closeInPage]),
  }));
});

test("an end that is agreed while its period is closed is the end of that, or refused", {
  timeout: 600_000,
}, async () => {
  await run((dice) => {
    const cancelAt = oneOf(dice, [periodEnd, "2026-01-31T18:00:00Z"]);
    const agreed = { changeId: "end", at: "2026-01-31T12:00:00Z", cancelAt };
    return {
      one: ({ subscriptionId }) => scheduleCancellation(fixture.db, { subscriptionId, ...agreed }),
      other: oneOf(dice, [close, closeInPage]),
    };
  });
});

test("of two changes at once the second finds what the first has left", { timeout: 600_000 }, async () => {
  await run((dice) => {
    const at = oneOf(dice, instants);
    return {
      one: changing("one", at, anyChangeOfItems(dice)),
      other: changing("other", at, anyChangeOfItems(dice)),
    };
  });
});

test("the same change asked for twice at once is made once", { timeout: 600_000 }, async () => {
  await run((dice) => {
    const change = changing("same", oneOf(dice, instants), anyChange(dice));
    return { one: change, other: change };
  });
});

describe("what is agreed for later", () => {
  /** Up to three changes, some of one instant, and sometimes an end; and how the run makes them, which is woken late. */
  function agreedOf(dice: Dice): { agree: Deed; make: Deed } {
    const ahead = Array.from({ length: 1 + dice(3) }, (_, nth) => ({
      changeId: `agreed-${nth}`,
      effectiveAt: oneOf(dice, [...instants.slice(0, 3), periodEnd]),
      change: anyChange(dice),
      // An end is agreed otherwise, and what begins a new period leaves the rest for after that one's close.
    })).filter(({ change }) => change.kind !== "cancel" && change.anchor === undefined);
    const cancelAt = oneOf(dice, [null, null, periodEnd, "2026-01-25T00:00:00Z"]);
    return {
      async agree({ subscriptionId }) {
        const at = "2026-01-15T00:00:00Z";
        for (const each of ahead) await scheduleChange(fixture.db, { subscriptionId, at, ...each });
        if (cancelAt === null) return;
        await scheduleCancellation(fixture.db, { subscriptionId, changeId: "end", at, cancelAt });
      },
      async make({ subscriptionId }) {
        await applyScheduled(fixture.db, { subscriptionId, at: cancelAt ?? periodEnd });
        if (cancelAt !== null) await endSubscription(fixture.db, { subscriptionId, at: cancelAt });
      },
    };
  }

  test.each([
    { by: "by its own workflow", closing: close },
    { by: "in a page", closing: closeInPage },
  ])(
    "is the same whoever comes first: the run that makes it, or the close $by",
    { timeout: 600_000 },
    async ({ closing }) => {
      for (const { dice, told } of turns()) {
        const { agree, make } = agreedOf(dice);
        const race = { before: agree, one: make, other: closing };
        const { oneFirst, otherFirst, raced } = await raceOfTwo(race, dice);
        expect(otherFirst, `${told}: closed first`).toEqual(oneFirst);
        expect(raced, `${told}: at once`).toEqual(oneFirst);
      }
      await expectInvariants(fixture.db, { limits: { billing: 1e9 } });
    },
  );

  test("is withdrawn or made, when both are asked at once", { timeout: 600_000 }, async () => {
    const made: Deed = ({ subscriptionId }) => applyScheduled(fixture.db, { subscriptionId, at: periodEnd });
    await run((dice) => ({
      before: ({ subscriptionId }) =>
        scheduleChange(fixture.db, {
          subscriptionId,
          changeId: "agreed",
          at: "2026-01-15T00:00:00Z",
          effectiveAt: periodEnd,
          change: { kind: "change_quantity", seats: 8 },
        }),
      one: ({ subscriptionId }) =>
        withdrawScheduled(fixture.db, { subscriptionId, changeId: "agreed", at: periodEnd }),
      other: oneOf(dice, [made, close, closeInPage]),
    }));
  });
});

test("a period that its workflow and a page close at once is closed once, with the same result", {
  timeout: 600_000,
}, async () => {
  await run(() => ({ one: close, other: closeInPage }));
});

test("usage that comes while its period is closed is on that invoice, or the next one's", {
  timeout: 600_000,
}, async () => {
  const late: Deed = (racer) => use(racer, "2026-01-12T10:00:00Z");
  await run((dice) => ({ one: late, other: oneOf(dice, [close, closeInPage]) }));
});
