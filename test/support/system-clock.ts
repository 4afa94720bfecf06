import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import type { ReckonerClient } from "../../src/sdk/index.ts";
import { workflowIds } from "../../src/workflows/messages.ts";

/** Soon, and the longer it takes the more seldom: asking costs the API and the database what others could use. */
const pollMsAfter = (waitedMs: number) => Math.min(250, 20 + waitedMs / 8);

export interface AdvanceOptions {
  /** Done while the clock is on its way, before it is waited for. */
  readonly meanwhile?: () => Promise<void>;
  /** How long it may stand still; longer than a lost webhook is waited for when left out. */
  readonly patienceMs?: number;
}

/** Moves a test clock and waits until it is there; a clock that gets stuck fails with what its run waits for. */
export async function advanceClock(
  reckoner: ReckonerClient,
  temporal: Client,
  clockId: string,
  to: string,
  { meanwhile = async () => {}, patienceMs = 24_000 }: AdvanceOptions = {},
): Promise<void> {
  const path = { id: clockId };
  await reckoner.post("/v1/test-clocks/{id}/advance", { params: { path }, body: { to } });
  await meanwhile();
  const began = performance.now();
  let movedAt = began;
  let seenAt = "";
  for (;;) {
    const clock = await reckoner.get("/v1/test-clocks/{id}", { params: { path } });
    if (clock.status === "ready") return;
    if (clock.current_at !== seenAt) movedAt = performance.now();
    seenAt = clock.current_at;
    if (performance.now() - movedAt > patienceMs) {
      const waitsFor = await detailsOf(temporal, workflowIds.testClock(clockId));
      throw new Error(`the clock stands still:\n${waitsFor}\n${await unfinishedRuns(temporal)}`);
    }
    await delay(pollMsAfter(performance.now() - began));
  }
}

/** What operators read of a run in the Temporal UI. */
async function detailsOf(temporal: Client, workflowId: string): Promise<string> {
  const handle = temporal.workflow.getHandle(workflowId);
  const { currentDetails } = await handle.query<{ currentDetails?: string }>("__temporal_workflow_metadata");
  return `${workflowId}: ${currentDetails ?? "no details"}`;
}

/** Runs that are neither asleep nor done: parked, or in an activity that is not answered. */
async function unfinishedRuns(temporal: Client): Promise<string> {
  const query =
    "ExecutionStatus = 'Running' and WorkflowType in ('billingCycle', 'collection', 'dunning', 'topUp')";
  const details: string[] = [];
  for await (const { workflowId } of temporal.workflow.list({ query })) {
    const { raw } = await temporal.workflow.getHandle(workflowId).describe();
    const activities = raw.pendingActivities?.map(
      ({ activityType, attempt, lastFailure }) =>
        `  ${activityType?.name}, attempt ${attempt}: ${lastFailure?.message ?? "not answered yet"}`,
    );
    details.push(await detailsOf(temporal, workflowId), ...(activities ?? []));
  }
  return details.join("\n");
}
