import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyScheduled } from "../../src/activities/apply-scheduled.ts";
import type { ThoughtOfChange } from "../../src/db/billing/foreseen-change.ts";
import { foreseenUntil } from "../../src/db/billing/foreseen-steps.ts";
import { foreseenSubscription, standingOf } from "../../src/db/billing/foreseen-subscription.ts";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { plannedChange } from "../../src/db/billing/planned-change.ts";
import { findSubscription } from "../../src/db/billing/subscriptions.ts";
import { inSnapshot } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { BillingError } from "../../src/domain/errors.ts";
import type { SubscriptionChange } from "../../src/workflows/messages.ts";
import { ForeseenStory } from "./foreseen-story.ts";

/** The two invoices that come next, as they are foreseen, are those that are issued: whatever was agreed for later comes meanwhile. */

let story: ForeseenStory;
beforeAll(async () => {
  story = await ForeseenStory.begin();
});
afterAll(async () => {
  expect(await verifyInvoices(story.db)).toMatchObject({ findings: [], unknown: [] });
  await story.end();
});

const begin = "2026-01-01T00:00:00Z";
const now = "2026-01-05T00:00:00Z";

/** Both invoices of the subscription of a customer's name. */
async function expectAsForeseen(id: string): Promise<(readonly string[] | null)[]> {
  const foreseen = [await story.foreseen(id, now, "current"), await story.foreseen(id, now, "next")];
  expect(await story.closings(id, id, 2)).toEqual(foreseen);
  return foreseen;
}

const totalOf = (invoice: readonly string[] | null | undefined) => invoice?.at(-1) ?? null;

test.each([
  {
    plan: "converting",
    first: "total 5100",
    second: "total 5100",
    why: "the trial's invoice charges the first month",
  },
  {
    plan: "canceling",
    first: "total 138",
    second: null,
    why: "usage of a trial is billed, and nothing follows",
  },
  { plan: "pausing", first: "total 0", second: "total 0", why: "nothing is charged for time" },
])("the end of a trial: $plan: $why", async ({ plan, first, second }) => {
  await story.customer(plan);
  await story.subscribe(plan, plan, plan, begin);
  await story.use(plan, "2026-01-03T00:00:00Z", "unit", 100);
  const foreseen = await expectAsForeseen(plan);
  expect(totalOf(foreseen[0])).toContain(first);
  if (second === null) expect(foreseen[1]).toBeNull();
  else expect(totalOf(foreseen[1])).toContain(second);
});

test("changes with the next period are its terms, at a date they are prorated, and an end leaves nothing behind it", async () => {
  await story.customer("ann");
  await story.subscribe("ann", "ann", "small", begin);
  await story.agree("ann", begin, "2026-01-16T12:00:00Z", { kind: "change_quantity", seats: 5 });
  await story.agree("ann", begin, "2026-02-01T00:00:00Z", { kind: "change_plan", planKey: "large" });
  await story.agreeEnd("ann", begin, "2026-02-15T00:00:00Z", "unused");
  const [first, second] = await expectAsForeseen("ann");
  // Three more seats for half a month were invoiced by themselves; February is charged with five, on the larger plan.
  expect(first).toContain("seats large seats 2026-02-01T00:00:00.000Z 2026-03-01T00:00:00.000Z 5000");
  expect(first).toContain("flat large fee 2026-02-01T00:00:00.000Z 2026-03-01T00:00:00.000Z 9300");
  // Half of 310 in arrears, of the half of February that went back to the balance.
  expect(totalOf(second)).toBe("credits 0, balance 155, total 0");
});

test("what another subscription takes from credit and balance before is not there any more", async () => {
  await story.customer("bob", 500n);
  await story.subscribe("bob", "bob", "small", begin);
  await story.subscribe("bob", "bob-other", "other", "2026-01-02T00:00:00Z");
  await story.use("bob", "2026-01-03T00:00:00Z", "unit", 131);
  await story.use("bob", "2026-01-04T00:00:00Z", "call", 131);
  expect(totalOf(await story.foreseen("bob-other", now, "current"))).toContain("credits 300,");
  const [first] = await expectAsForeseen("bob");
  expect(totalOf(first)).toContain("credits 200,");
});

test("a change that is previewed for a date finds what is agreed for before it", async () => {
  await story.customer("cam");
  await story.subscribe("cam", "cam", "small", begin);
  await story.agree("cam", begin, "2026-01-16T00:00:00Z", { kind: "change_plan", planKey: "large" });
  const [at, fewer] = [instant("2026-01-21T00:00:00Z"), { kind: "change_quantity", seats: 1 } as const];
  const previewed = await inSnapshot(story.db, async (tx) => {
    const ahead = await foreseenUntil(tx, await foreseenSubscription(tx, await rowOf("cam")), at);
    return await plannedChange(tx, ahead.row, fewer, at, standingOf(tx, ahead));
  });
  await applyScheduled(story.db, { subscriptionId: "cam", at: "2026-01-16T00:00:00Z" });
  const made = await plannedChange(story.db.orm, await rowOf("cam"), fewer, at);
  expect(previewed).toEqual(made);
  // On the larger plan, whose changes wait for the period's invoice: 11 of 31 days of two seats go back, and one is charged.
  expect(made.waits).toBe(true);
  expect(made.lines.map(({ source, amount }) => [source?.planKey, amount.amountMinor])).toEqual([
    ["large", -710n],
    ["large", 355n],
  ]);
});

async function rowOf(id: string) {
  return (await findSubscription(story.db.orm, id)) ?? expect.fail(`there is no subscription ${id}`);
}

const days = fc.integer({ min: 6, max: 75 });
const dateOf = (day: number, hour = 0) => new Date(Date.UTC(2026, 0, day, hour)).toISOString();
const anyChange: fc.Arbitrary<SubscriptionChange> = fc.oneof(
  fc.integer({ min: 1, max: 9 }).map((seats): SubscriptionChange => ({ kind: "change_quantity", seats })),
  fc
    .constantFrom("small", "large", "yearly")
    .map((planKey): SubscriptionChange => ({ kind: "change_plan", planKey })),
  fc.constant<SubscriptionChange>({ kind: "add_add_on", planKey: "extra", seats: 1 }),
  fc.constant<SubscriptionChange>({ kind: "remove_add_on", planKey: "extra" }),
  fc.constant<SubscriptionChange>({ kind: "resume" }),
);
/** What is agreed for a day: a pause for days from then on, or anything else. */
const changeOn = (day: number): fc.Arbitrary<SubscriptionChange> =>
  fc.oneof(
    { weight: 5, arbitrary: anyChange },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 1, max: 40 }).map(
        (pausedDays): SubscriptionChange => ({
          kind: "pause",
          usage: "billed",
          resumesAt: dateOf(day + pausedDays, 3),
        }),
      ),
    },
  );
/** Beginnings of periods as often as any other instant. */
const anyDay = fc.oneof(fc.constantFrom(15, 32, 46, 60), days);
const anyStory = fc.record({
  plan: fc.constantFrom("small", "large", "yearly", "converting", "canceling", "pausing"),
  changes: fc.array(
    anyDay.chain((day) =>
      fc.record({ day: fc.constant(day), hour: fc.constantFrom(0, 0, 13), change: changeOn(day) }),
    ),
    { maxLength: 4 },
  ),
  end: fc.option(
    fc.record({
      day: anyDay,
      credit: fc.constantFrom("unused" as const, "refund" as const, "none" as const),
    }),
    {
      nil: null,
    },
  ),
  credit: fc.constantFrom(0n, 300n),
  units: fc.nat(400),
  hasOther: fc.boolean(),
});

test("whatever is agreed for later, in any order", { timeout: 120_000 }, async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(anyStory, async ({ plan, changes, end, credit, units, hasOther }) => {
      const id = `any-${++number}`;
      await story.customer(id, credit);
      await story.subscribe(id, id, plan, begin);
      if (hasOther) {
        await story.subscribe(id, `${id}-other`, "other", "2026-01-03T00:00:00Z");
        await story.use(id, "2026-01-04T00:00:00Z", "call", 100);
      }
      if (units > 0) await story.use(id, "2026-01-02T00:00:00Z", "unit", units);
      const thought: ThoughtOfChange[] = [];
      const isThinkable = async (asked: ThoughtOfChange) => {
        try {
          await story.foreseenWith(id, now, [...thought, asked]);
        } catch (error) {
          if (!(error instanceof BillingError)) throw error;
          return false;
        }
        thought.push(asked);
        return true;
      };
      // What cannot be asked for now may be agreed for later all the same: it is in force by then, or refused.
      const agreed: typeof changes = [];
      for (const each of changes) {
        const asked = { change: each.change, when: { at: dateOf(each.day, each.hour) } };
        if (await isThinkable(asked)) agreed.push(each);
      }
      const isEnding =
        end !== null &&
        (await isThinkable({
          change: { kind: "cancel", credit: end.credit },
          when: { at: dateOf(end.day) },
        }));
      const foreseen = await story.foreseenWith(id, now, thought);
      for (const { day, hour, change } of agreed) await story.agree(id, begin, dateOf(day, hour), change);
      if (end !== null && isEnding) await story.agreeEnd(id, begin, dateOf(end.day), end.credit);
      await expectAsForeseen(id);
      expect(await story.issuedAfter(id, now)).toEqual(foreseen);
    }),
    { numRuns: 40 },
  );
});
