import { ApplicationFailure } from "@temporalio/common";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clockWaiting, expectSettling, workflowIds } from "../../src/workflows/messages.ts";
import { detailsOf, type Scene, type SceneClock, until } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.standIns.reset());

const at = (hour: number) => `2026-05-01T${String(hour).padStart(2, "0")}:00:00.000Z`;

/** A run that sleeps until this hour and does one thing then: a billing cycle in its grace. */
async function sleepUntil(clock: SceneClock, hour: number) {
  const subscriptionId = scene.id(`until_${hour}`);
  const period = { subscriptionId, periodStart: "2026-04-01T00:00:00.000Z", periodEnd: at(0) };
  const input = { ...period, customerId: scene.id("cus"), graceSeconds: hour * 3600 };
  await scene.gateway.startBillingCycle({ ...input, clock: clock.reading() });
  return subscriptionId;
}

const woken = () =>
  scene.standIns.asked("closePeriod").map(({ subscriptionId, at: instant }) => [subscriptionId, instant]);
const moves = () => scene.standIns.asked("moveTestClock").map(({ now }) => now);
const handleOf = (clock: SceneClock) => scene.client.workflow.getHandle(workflowIds.testClock(clock.id));
const detailsOfClock = (clock: SceneClock) => detailsOf(scene.client, workflowIds.testClock(clock.id));

describe("sleepers are woken", () => {
  test("in the order of their instants, whatever the order they came in", async () => {
    const clock = await scene.startClock(at(0));
    const [three, one, two] = [
      await sleepUntil(clock, 3),
      await sleepUntil(clock, 1),
      await sleepUntil(clock, 2),
    ];
    await clock.advance(at(4));
    expect(woken()).toEqual([
      [one, at(1)],
      [two, at(2)],
      [three, at(3)],
    ]);
  });

  test("together when they wait for the same instant: the clock is moved there once", async () => {
    const clock = await scene.startClock(at(0));
    await Promise.all([sleepUntil(clock, 1), sleepUntil(clock, 1), sleepUntil(clock, 1)]);
    await clock.advance(at(2));
    expect(woken()).toHaveLength(3);
    // Set out, at one o'clock, arrived.
    expect(moves()).toEqual([at(0), at(1), at(2)]);
  });

  test("at the very instant that the clock is moved to, and not before", async () => {
    const clock = await scene.startClock(at(0));
    const one = await sleepUntil(clock, 1);
    await clock.advance("2026-05-01T00:59:59.999Z");
    expect(woken()).toEqual([]);
    const letGo = scene.standIns.hold("closePeriod");
    const advancing = clock.advance(at(1));
    await until(() => woken().length === 1, "it is woken");
    const row = () => scene.standIns.asked("moveTestClock").at(-1);
    // The clock is there, but it is not ready before what is due there is done.
    expect(row()).toMatchObject({ now: at(1), target: at(1), isSettled: false });
    letGo();
    await advancing;
    expect(row()).toMatchObject({ now: at(1), target: at(1), isSettled: true });
    expect(woken()).toEqual([[one, at(1)]]);
  });

  test("without an advance, when they say late that their instant has passed", async () => {
    const clock = await scene.startClock(at(0));
    const before = clock.reading();
    await clock.advance(at(2));
    const stale = { ...clock, reading: () => before };
    const one = await sleepUntil(stale, 1);
    await until(() => woken().length === 1, "it is woken");
    expect(woken()).toEqual([[one, at(2)]]);
  });
});

describe("time stands still", () => {
  test("until what was woken has settled", async () => {
    const clock = await scene.startClock(at(0));
    const [one, two] = [await sleepUntil(clock, 1), await sleepUntil(clock, 2)];
    const letGo = scene.standIns.hold("closePeriod");
    await scene.gateway.advanceTestClock(clock.id, at(3));
    await until(() => woken().length === 1, "the first is woken");
    expect(await detailsOfClock(clock)).toContain(`waits for \`wake:cycle/${one}`);
    expect(moves().at(-1)).toBe(at(1));
    letGo();
    await until(() => moves().at(-1) === at(3), "the clock arrives");
    expect(woken()).toEqual([
      [one, at(1)],
      [two, at(2)],
    ]);
  });

  test("until what was announced has settled; what settles before its announcement arrives is not waited for", async () => {
    const clock = await scene.startClock(at(0));
    const settle = { workflowId: "somebody", wakeAt: null };
    await handleOf(clock).signal(clockWaiting, { ...settle, settles: ["early"] });
    await handleOf(clock).signal(expectSettling, { token: "early" });
    await handleOf(clock).signal(expectSettling, { token: "in time" });
    await scene.gateway.advanceTestClock(clock.id, at(1));
    expect(await detailsOfClock(clock)).toMatch(/advancing.*\n\n- waits for `in time`$/);
    expect(moves()).toEqual([at(0)]);
    await handleOf(clock).signal(clockWaiting, { ...settle, settles: ["in time"] });
    await until(() => moves().at(-1) === at(1), "the clock arrives");
  });

  test("for no run that has ended: its wake-up finds nobody", async () => {
    const clock = await scene.startClock(at(0));
    await handleOf(clock).signal(clockWaiting, { workflowId: "long gone", wakeAt: at(1), settles: [] });
    await clock.advance(at(2));
    expect(moves()).toEqual([at(0), at(1), at(2)]);
  });
});

describe("a start that was announced", () => {
  const announced = { token: "start:subscription/announced", startsWithinSeconds: 0.1 };

  test("and not made, because who announced it died, is not waited for any longer", async () => {
    const clock = await scene.startClock(at(0));
    scene.standIns.on("findStarted", () => ({ hasRun: false }));
    await handleOf(clock).signal(expectSettling, announced);
    await clock.advance(at(1));
    expect(scene.standIns.asked("findStarted")).toEqual([{ workflowId: "subscription/announced" }]);
    expect(moves()).toEqual([at(0), at(1)]);
  });

  test("and made is waited for, however long it takes to settle", async () => {
    const clock = await scene.startClock(at(0));
    await handleOf(clock).signal(expectSettling, announced);
    await scene.gateway.advanceTestClock(clock.id, at(1));
    await until(() => scene.standIns.asked("findStarted").length === 1, "it is looked for");
    expect(await detailsOfClock(clock)).toContain(`waits for \`${announced.token}\``);
    await handleOf(clock).signal(clockWaiting, {
      workflowId: "subscription/announced",
      wakeAt: null,
      settles: [announced.token],
    });
    await until(() => moves().at(-1) === at(1), "the clock arrives");
  });

  test("and refused before it was accepted leaves nothing to wait for", async () => {
    const clock = await scene.startClock(at(0));
    const input = {
      subscriptionId: scene.id("sub"),
      customerId: "no/such customer",
      clock: clock.reading(),
    };
    const command = { requestId: scene.id("req"), at: at(0), items: [{ planKey: "solo", seats: 1 }] };
    const refused = scene.gateway.activateSubscription(input, command);
    await expect(refused).rejects.toMatchObject({ code: expect.stringContaining("invalid") });
    await clock.advance(at(1));
    expect(scene.standIns.asked("findStarted")).toEqual([]);
  });

  test("and refused when it was tried leaves nothing to wait for", async () => {
    const clock = await scene.startClock(at(0));
    scene.standIns.on("issueCreditPurchase", () => {
      throw ApplicationFailure.nonRetryable("not now", "credit_refused");
    });
    const input = { grantId: scene.id("grant"), customerId: scene.id("cus"), clock: clock.reading() };
    const refused = scene.gateway.purchaseCredits(input, at(0));
    await expect(refused).rejects.toThrow();
    await clock.advance(at(1));
    expect(moves()).toEqual([at(0), at(1)]);
  });
});

describe("an advance is refused", () => {
  test("backwards", async () => {
    const clock = await scene.startClock(at(2));
    const refused = scene.gateway.advanceTestClock(clock.id, at(1));
    await expect(refused).rejects.toMatchObject({ code: "test_clock_backwards" });
    expect(moves()).toEqual([]);
  });

  test("while another is under way, from its first moment", async () => {
    const clock = await scene.startClock(at(0));
    await handleOf(clock).signal(expectSettling, { token: "something" });
    const both = await Promise.allSettled([
      scene.gateway.advanceTestClock(clock.id, at(1)),
      scene.gateway.advanceTestClock(clock.id, at(2)),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const third = scene.gateway.advanceTestClock(clock.id, at(3));
    await expect(third).rejects.toMatchObject({ code: "test_clock_busy" });
  });
});

test("continued as new it keeps the time, who sleeps and what was settled early", async () => {
  const clock = await scene.startClock(at(0));
  const one = await sleepUntil(clock, 1);
  const handle = handleOf(clock);
  const settle = { workflowId: "somebody", wakeAt: null };
  await handle.signal(clockWaiting, { ...settle, settles: ["early"] });
  const { runId } = await handle.describe();
  // The server suggests it when a history has grown to 4 MiB: some forty messages of this size.
  const large = { workflowId: "x".repeat(100_000), wakeAt: null, settles: [] };
  await until(async () => {
    await handle.signal(clockWaiting, large);
    return (await handle.describe()).runId !== runId;
  }, "it continues as new");
  await handle.signal(expectSettling, { token: "early" });
  await clock.advance(at(2));
  expect(woken()).toEqual([[one, at(1)]]);
});
