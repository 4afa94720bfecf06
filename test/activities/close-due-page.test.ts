import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { atMost, type WithRoom } from "../../src/activities/at-most.ts";
import { closeDuePage, type PageInput, type PageOptions } from "../../src/activities/close-due-page.ts";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import { dueSubscriptions } from "../../src/db/billing/due-subscriptions.ts";
import { openDatabase } from "../../src/db/database.ts";
import { instant, instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { closeDelaySeconds } from "../../src/domain/lifecycle/index.ts";
import type { BillingCycleInput } from "../../src/workflows/messages.ts";
import { openUsage, type UsageFixture } from "../db/usage-fixture.ts";
import { expectInvariants } from "../support/invariants.ts";
import { breakTermsOf, dueAt, periodEnd, publishPlans, subscribe } from "./due-customers.ts";
import { pageOptions } from "./page-options.ts";

let fixture: UsageFixture;
let deps: ActivityDependencies;
const cycles: BillingCycleInput[] = [];
beforeAll(async () => {
  fixture = await openUsage({ poolSize: 6 });
  await publishPlans(fixture.db);
  const gateway = {
    startBillingCycle: async (input: BillingCycleInput) => void cycles.push(input),
  };
  deps = { db: fixture.db, gateway } as unknown as ActivityDependencies;
});
afterAll(() => fixture.close());
// What an earlier test has left due is closed.
beforeEach(async () => {
  await page();
  cycles.length = 0;
});

let customers = 0;
/** So many subscriptions that are due; their ids, ascending. */
async function due(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let nth = 0; nth < count; nth++) {
    ids.push(await subscribe(fixture.db, `due-${String(++customers).padStart(4, "0")}`));
  }
  return ids;
}

const page = (input: Partial<PageInput> = {}, options: Partial<PageOptions> = {}) =>
  closeDuePage(
    deps,
    { lane: 0, lanes: 1, after: null, limit: 1_000, ...input },
    { ...pageOptions(dueAt), ...options },
  );

/** How often each period was closed. */
async function closings(ids: readonly string[]): Promise<number[]> {
  const found = await fixture.db.sql<{ id: string; count: number }[]>`
    select id, (select count(*)::int from billing.rating_run where subscription_id = id) as count
    from json_array_elements_text(${JSON.stringify(ids)}::text::json) as id order by id`;
  return found.map(({ count }) => count);
}

const onceEach = (ids: readonly string[]) => ids.map(() => 1);

test("pages go on where the one before ended, each period is closed once, and the last page says so", async () => {
  const ids = await due(7);
  const first = await page({ limit: 3 });
  expect(first).toMatchObject({ closed: 3, handedOver: 0, next: { subscriptionId: ids[2] } });
  const second = await page({ limit: 3, after: first.next });
  expect(second).toMatchObject({ closed: 3, next: { subscriptionId: ids[5] } });
  expect(await page({ limit: 3, after: second.next })).toEqual({ closed: 1, handedOver: 0, next: null });
  expect(await closings(ids)).toEqual(onceEach(ids));
  await expectInvariants(fixture.db, { limits: { billing: 1e9 } });
});

test("lanes have no customer in common and leave none out, and their pages are closed at once", async () => {
  const ids = await due(30);
  const lanes = await Promise.all([0, 1, 2, 3].map((lane) => page({ lane, lanes: 4 })));
  expect(lanes.reduce((sum, { closed }) => sum + closed, 0)).toBe(30);
  expect(lanes.every(({ closed }) => closed > 0)).toBe(true);
  expect(await closings(ids)).toEqual(onceEach(ids));
});

test("two attempts at the same page, the first of which nobody heard of any more, close each period once", async () => {
  const ids = await due(12);
  // Neither closes anything before both have read that all twelve are due: what comes later reads what is left by then.
  const bothHaveRead = Promise.withResolvers<void>();
  const [attempts, groupsEach] = [2, 3];
  const room = atMost(attempts * groupsEach);
  let asked = 0;
  const withRoom: WithRoom = (work) => {
    if (++asked === attempts * groupsEach) bothHaveRead.resolve();
    return room(() => bothHaveRead.promise.then(work));
  };
  const onFailure = vi.fn();
  const both = await Promise.all([page({}, { withRoom, onFailure }), page({}, { withRoom, onFailure })]);
  expect(onFailure.mock.calls).toEqual([]);
  const all = { closed: 12, handedOver: 0, next: null };
  expect(both).toEqual([all, all]);
  expect(await closings(ids)).toEqual(onceEach(ids));
  await expectInvariants(fixture.db, { limits: { billing: 1e9 } });
});

test("no more are closed at once than there is room for", async () => {
  await due(18);
  let [now, most] = [0, 0];
  const room = atMost(2);
  await page(
    {},
    {
      withRoom: (work) =>
        room(async () => {
          most = Math.max(most, ++now);
          return await work().finally(() => now--);
        }),
    },
  );
  expect(most).toBe(2);
});

test("an attempt that was cut off is taken up: what it counted is counted, what it left is closed", async () => {
  const ids = await due(6);
  let told = { closed: 0, handedOver: 0 };
  const progress = (counts: typeof told) => {
    told = counts;
  };
  const stopping = { progress, isStopping: () => told.closed === 2 };
  const cut = await page({}, { togetherMax: 2, withRoom: atMost(1), ...stopping });
  expect(cut).toMatchObject({ closed: 2 });
  expect(cut.next).not.toBeNull();
  expect(await page({ after: cut.next }, { before: told })).toEqual({ closed: 6, handedOver: 0, next: null });
  expect(await closings(ids)).toEqual(onceEach(ids));
});

describe("what goes wrong", () => {
  test("a period that cannot be closed gets a run of its own, and the others are closed", async () => {
    const [broken = "", ...others] = await due(4);
    await breakTermsOf(fixture.owner, broken);
    const onFailure = vi.fn();
    expect(await page({}, { onFailure })).toEqual({ closed: 3, handedOver: 1, next: null });
    expect(onFailure.mock.calls).toEqual([[broken, expect.any(Error)]]);
    expect(cycles).toEqual([
      expect.objectContaining({
        subscriptionId: broken,
        periodStart: "2026-01-01T00:00:00.000Z",
        clock: null,
      }),
    ]);
    expect(await closings(others)).toEqual(onceEach(others));
    await fixture.owner.sql`update billing.subscription set next_close_at = null where id = ${broken}`;
  });

  test("a database that is away fails the page, and gives nobody a run", async () => {
    const ids = await due(3);
    const away = openDatabase({ url: fixture.appUrl, poolSize: 1 });
    const none = { ...deps, db: { ...fixture.db, orm: fixture.db.orm } };
    await away.close();
    Object.assign(none.db, {
      orm: Object.assign(Object.create(fixture.db.orm), { transaction: away.orm.transaction.bind(away.orm) }),
    });
    const attempt = closeDuePage(none, { lane: 0, lanes: 1, after: null, limit: 100 }, pageOptions(dueAt));
    await expect(attempt).rejects.toThrow();
    expect(cycles).toEqual([]);
    expect(await closings(ids)).toEqual([0, 0, 0]);
  });
});

test("closing is spread over the window, as the run of each subscription reckons it too", async () => {
  const ids = await due(40);
  const windowSeconds = 3_600;
  const by = instantOfEpochMs(instant(dueAt) + 1_800_000);
  const query = { windowSeconds, lane: 0, lanes: 1, after: null, limit: 1_000 };
  const turn = await dueSubscriptions(fixture.db.orm, { ...query, by });
  const expected = ids.filter((id) => closeDelaySeconds(id, windowSeconds) <= 1_800);
  expect(turn.map(({ subscriptionId }) => subscriptionId)).toEqual(expected);
  // About half of them in half of the window.
  expect(expected.length).toBeGreaterThan(8);
  expect(expected.length).toBeLessThan(32);
  const end = instantOfEpochMs(instant(dueAt) + windowSeconds * 1_000);
  expect(await dueSubscriptions(fixture.db.orm, { ...query, by: end })).toHaveLength(40);
  // What is billed ends with the period, however late its turn comes.
  await page({}, { now: end, windowSeconds });
  const [billed] = await fixture.db.sql<{ until: boolean }[]>`
    select period_end = ${periodEnd} as until from billing.invoice where kind = 'cycle' and subscription_id = ${ids[0] ?? ""}`;
  expect(billed?.until).toBe(true);
});
