import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { PlaceInLane } from "../../src/activities/close-due-page.ts";
import type { CycleCloseInput } from "../../src/workflows/cycle-close.ts";
import { closingChanged, workflowIds } from "../../src/workflows/messages.ts";
import { detailsOf, type Scene, until } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.standIns.reset());

const castNet = (input: CycleCloseInput = {}) =>
  scene.client.workflow.execute<(input: CycleCloseInput) => Promise<number>>("cycleClose", {
    workflowId: scene.id("cycle-close"),
    taskQueue: scene.taskQueue,
    args: [input],
  });

const place = (subscriptionId: string): PlaceInLane => ({ dueAt: "2026-02-01T01:00:00Z", subscriptionId });

test("where one page is all there is, it is asked once, and so is for what is to be collected", async () => {
  scene.standIns.on("closeDuePage", () => ({ closed: 7, handedOver: 1, next: null }));
  expect(await castNet({ lanes: 4 })).toBe(7);
  expect(scene.standIns.asked("closeDuePage")).toEqual([{ lane: 0, lanes: 1, after: null, limit: 250 }]);
  expect(scene.standIns.steps()).toEqual(["closeDuePage", "collectDuePage"]);
});

test("where there is more, each lane goes from its beginning to its end, beside the others", async () => {
  // The first page is of all; then lane 0 has three pages, lane 1 one.
  scene.standIns.on("closeDuePage", ({ lane, lanes, after }) => {
    if (lanes === 1) return { closed: 10, handedOver: 0, next: place("j") };
    if (lane === 1) return { closed: 2, handedOver: 0, next: null };
    const next = after === null ? place("k") : after.subscriptionId === "k" ? place("l") : null;
    return { closed: 10, handedOver: 0, next };
  });
  expect(await castNet({ lanes: 2, pageSize: 10 })).toBe(10 + 30 + 2);
  const asked = scene.standIns.asked("closeDuePage").filter(({ lanes }) => lanes === 2);
  expect(asked.filter(({ lane }) => lane === 0).map(({ after }) => after?.subscriptionId ?? null)).toEqual([
    null,
    "k",
    "l",
  ]);
  expect(asked.filter(({ lane }) => lane === 1)).toHaveLength(1);
});

test("collecting begins when closing has ended, and goes on until there is nothing more", async () => {
  scene.standIns.inTurn(
    "collectDuePage",
    () => ({ paid: 98, handedOver: 2, more: true }),
    () => ({ paid: 5, handedOver: 0, more: false }),
  );
  expect(await castNet()).toBe(0);
  expect(scene.standIns.steps()).toEqual(["closeDuePage", "collectDuePage", "collectDuePage"]);
});

/** A subscription on the wall clock that began a minute before the end of its period, and what its deployment says of closing. */
async function subscribe(closing: { by: "workflow" | "paged"; windowSeconds: number }) {
  const open = scene.standIns.behaviourOf("openSubscription");
  scene.standIns.on("openSubscription", async (input) => {
    const opened = await open(input);
    return { ...opened, standing: { ...opened.standing, graceSeconds: 0, closing } };
  });
  const subscriptionId = scene.id("sub");
  const ended = { at: "2026-01-01T00:00:00Z", items: [{ planKey: "solo", seats: 1 }] };
  await scene.gateway.activateSubscription(
    { subscriptionId, customerId: scene.id("cus"), clock: null },
    { requestId: "activate", ...ended },
  );
  return subscriptionId;
}

const cyclesOf = (subscriptionId: string) =>
  scene.standIns.asked("closePeriod").filter((asked) => asked.subscriptionId === subscriptionId);

test("a run whose periods are closed in pages sleeps through their ends, until it is told otherwise", async () => {
  const subscriptionId = await subscribe({ by: "paged", windowSeconds: 0 });
  const workflowId = workflowIds.subscription(subscriptionId);
  await until(
    async () => (await detailsOf(scene.client, workflowId)).includes("closed in pages"),
    "it says who closes its periods",
  );
  // A run that closes for itself, of the same age, has come by many ends of periods meanwhile.
  const other = await subscribe({ by: "workflow", windowSeconds: 0 });
  await until(() => cyclesOf(other).length >= 3, "periods of the other are closed");
  expect(cyclesOf(subscriptionId)).toEqual([]);

  await scene.client.workflow
    .getHandle(workflowId)
    .signal(closingChanged, { by: "workflow", windowSeconds: 0 });
  await until(() => cyclesOf(subscriptionId).length >= 1, "it closes its periods itself");
});
