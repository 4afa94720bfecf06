import { ApplicationFailure } from "@temporalio/common";
import { expectSettling, workflowIds } from "../../../src/workflows/messages.ts";
import { resultOf } from "../../workflows/support/runs.ts";
import type { Scene } from "../../workflows/support/scene.ts";
import { april, type Recorded } from "./recorded.ts";

/** Whoever announced a start to a test clock died before making it. */
export async function aStartThatNeverCame(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(april);
  const workflowId = workflowIds.testClock(clock.id);
  scene.standIns.on("findStarted", () => ({ hasRun: false }));
  const announced = { token: "start:subscription/never", startsWithinSeconds: 0.1 };
  await scene.client.workflow.getHandle(workflowId).signal(expectSettling, announced);
  await clock.advance("2026-04-02T00:00:00.000Z");
  return { "test-clock-start-that-never-came": { workflowId } };
}

export async function aPurchaseThatIsRefused(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(april);
  scene.standIns.on("issueCreditPurchase", () => {
    throw ApplicationFailure.nonRetryable("another currency", "currency_mismatch");
  });
  const input = { grantId: scene.id("grant"), customerId: scene.id("cus"), clock: clock.reading() };
  await scene.gateway.purchaseCredits(input, april).catch(() => {});
  const workflowId = workflowIds.topUp(input.customerId, input.grantId);
  await resultOf(scene.client, workflowId);
  return { "top-up-refused": { workflowId } };
}
