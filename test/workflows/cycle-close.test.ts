import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Scene } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.standIns.reset());

const castNet = () =>
  scene.client.workflow.execute<(input: object) => Promise<number>>("cycleClose", {
    workflowId: scene.id("cycle-close"),
    taskQueue: scene.taskQueue,
    args: [{}],
  });

test("takes page after page until one has no more, and answers how many periods it closed", async () => {
  scene.standIns.inTurn(
    "closeDuePage",
    () => ({ closed: 100, handedOver: 0, more: true }),
    () => ({ closed: 99, handedOver: 1, more: true }),
    () => ({ closed: 7, handedOver: 0, more: false }),
  );
  expect(await castNet()).toBe(206);
  expect(scene.standIns.asked("closeDuePage")).toEqual([{ limit: 100 }, { limit: 100 }, { limit: 100 }]);
});

test("with nothing due asks once", async () => {
  expect(await castNet()).toBe(0);
  expect(scene.standIns.asked("closeDuePage")).toHaveLength(1);
});
