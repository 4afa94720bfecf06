import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { countsOf, sumOf } from "../../bench/lifecycle/history-counts.ts";
import { changeQuantity, workflowIds } from "../../src/workflows/messages.ts";
import { resultOf } from "./support/runs.ts";
import { type Scene, until } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";
import { skipInCyclesToo, startSkipping } from "./support/time-skipping.ts";

/** What a subscription costs at Temporal is its events, tasks and activities: they do not grow unseen. */

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.standIns.reset());

async function eventsOf(workflowId: string, runId?: string) {
  const { events } = await scene.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const isOfSkipping = (event: object) =>
    Object.entries(event).some(([name, value]) => name.includes("TimeSkipping") && value != null);
  return (events ?? []).filter((event) => !isOfSkipping(event));
}

test("a month with an invoice that is paid, by a workflow for the cycle", async () => {
  scene.standIns.on("closePeriod", ({ subscriptionId, periodStart }) => ({
    ...{ outcome: "closed", invoiceId: `inv_${subscriptionId}_${periodStart.slice(0, 7)}`, collect: true },
  }));
  skipInCyclesToo(scene);
  const subscriptionId = scene.id("sub");
  const workflowId = workflowIds.subscription(subscriptionId);
  await startSkipping(scene, "subscription", workflowId, {
    ...{ subscriptionId, customerId: scene.id("cus"), clock: null },
    standing: {
      ...{ status: "active", cancelAt: "2027-04-30T00:00:00.000Z", graceSeconds: 3_600 },
      anchor: { at: "2027-01-31T00:00:00.000Z", unit: "month", count: 1, timeZone: "UTC" },
      ...{ periodIndex: 0, planKey: "solo", answered: [] },
    },
  });
  const { runId: first } = await scene.client.workflow.getHandle(workflowId).describe();
  await resultOf(scene.client, workflowId);
  const february = workflowIds.billingCycle(subscriptionId, "2027-02-28T00:00:00.000Z");
  await until(() => scene.standIns.asked("closePeriod").length === 3, "all periods are closed");
  await resultOf(scene.client, february);
  const firstRun = await eventsOf(workflowId, first);
  const second = firstRun.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  // From its continuation to the next one.
  const month = countsOf(await eventsOf(workflowId, second ?? ""));
  expect(month).toEqual({ events: 11, workflowTasks: 2, activities: 0, timers: 1, runs: 1, actions: 3 });
  // On the wall clock the server waits for the grace before the first task: without the timer, and the task before it.
  const cycle = countsOf(await eventsOf(february));
  expect(cycle).toEqual({ events: 22, workflowTasks: 4, activities: 2, timers: 1, runs: 1, actions: 4 });
  expect(sumOf([month, cycle])).toMatchObject({ events: 33, workflowTasks: 6, activities: 2, actions: 7 });
});

test("a subscription that waits, and a change of it", async () => {
  const subscriptionId = scene.id("sub");
  const workflowId = workflowIds.subscription(subscriptionId);
  const at = new Date().toISOString();
  await scene.gateway.activateSubscription(
    { subscriptionId, customerId: scene.id("cus"), clock: null },
    { requestId: "activate", at, items: [{ planKey: "solo", seats: 1 }] },
  );
  const waiting = await eventsOf(workflowId);
  expect(countsOf(waiting)).toEqual({
    ...{ events: 9, workflowTasks: 1, activities: 0, timers: 1, runs: 1, actions: 5 },
  });
  for (const seats of [2, 3]) {
    const command = { requestId: `seats-${seats}`, at: new Date().toISOString(), seats };
    await scene.gateway.commandSubscription(subscriptionId, changeQuantity, command);
  }
  const changed = countsOf((await eventsOf(workflowId)).slice(waiting.length));
  // Of each: the task, in which it is booked, and what the update says.
  expect(changed).toEqual({ events: 12, workflowTasks: 2, activities: 0, timers: 0, runs: 0, actions: 4 });
});

test("pages: one run for all of them", async () => {
  const workflowId = scene.id("cycle-close");
  const { taskQueue } = scene;
  await scene.client.workflow.execute("cycleClose", { workflowId, taskQueue, args: [{ lanes: 1 }] });
  expect(countsOf(await eventsOf(workflowId))).toMatchObject({ workflowTasks: 3, activities: 2, actions: 3 });
});
