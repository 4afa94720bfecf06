import { afterAll, beforeAll, expect, test } from "vitest";
import { workflowIds } from "../../src/workflows/messages.ts";
import { resultOf } from "./support/runs.ts";
import { type Scene, until } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";
import { skipInCyclesToo, startSkipping } from "./support/time-skipping.ts";

/** On the wall clock a run sleeps by Temporal's own timers, which the server skips here. */

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());

const graceMs = 3_600_000;

test("a year of monthly cycles from the 31st: each is closed once, after its grace, and no boundary drifts", async () => {
  const { standIns, client } = scene;
  skipInCyclesToo(scene);
  const subscriptionId = scene.id("sub");
  const anchorAt = "2027-01-31T00:00:00.000Z";
  const cancelAt = ends.at(-1) ?? "";
  await startSkipping(scene, "subscription", workflowIds.subscription(subscriptionId), {
    subscriptionId,
    customerId: scene.id("cus"),
    clock: null,
    standing: {
      status: "active",
      cancelAt,
      anchor: { at: anchorAt, unit: "month", count: 1, timeZone: "UTC" },
      graceSeconds: graceMs / 1000,
      periodIndex: 0,
      planKey: "solo",
      answered: [],
    },
  });
  await resultOf(client, workflowIds.subscription(subscriptionId));
  await until(() => standIns.asked("closePeriod").length === ends.length, "every period is closed");
  // Each close is a run of its own, and each run that the server skips for has a time of its own: which of two comes
  // first says nothing here. That an earlier period is closed first is for the activity to see to.
  const closes = standIns.asked("closePeriod").toSorted((a, b) => a.periodStart.localeCompare(b.periodStart));
  expect(closes.map(({ periodStart }) => periodStart)).toEqual([anchorAt, ...ends.slice(0, -1)]);
  const early = closes.filter(({ at }, index) => Date.parse(at) < Date.parse(ends[index] ?? "") + graceMs);
  expect(early).toEqual([]);
  expect(standIns.asked("endSubscription")).toEqual([{ subscriptionId, at: cancelAt }]);
});

const ends = [
  "2027-02-28",
  "2027-03-31",
  "2027-04-30",
  "2027-05-31",
  "2027-06-30",
  "2027-07-31",
  "2027-08-31",
  "2027-09-30",
  "2027-10-31",
  "2027-11-30",
  "2027-12-31",
  "2028-01-31",
].map((day) => `${day}T00:00:00.000Z`);
