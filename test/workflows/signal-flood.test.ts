import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadTestConfig } from "../../src/config.ts";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import { createServiceGroup } from "../../src/sandbox/local-services/service-group.ts";
import { findTemporalCli } from "../../src/sandbox/local-services/temporal-cli.ts";
import { startTemporal } from "../../src/sandbox/local-services/temporal-server.ts";
import { changeQuantity, paymentStanding, standing, workflowIds } from "../../src/workflows/messages.ts";
import { sharedServer } from "../support/shared-servers.ts";
import { installQuietRuntime } from "../support/temporal.ts";
import { openScene, type Scene } from "./support/scene.ts";

/**
 * More signals than a run can hold, without a pause, while commands come too: the run continues as new as often as the server
 * says, and no signal is lost or heard twice. By night there are 8,000, of 10,000 that a run may get; by day the server says it sooner.
 */
const isNightly = process.env.NIGHTLY === "1";
const signals = isNightly ? 8_000 : 300;
const suggestedAt = isNightly ? 4_096 : 120;

const group = createServiceGroup();
const folder = mkdtempSync(join(tmpdir(), "reckoner-flood-"));
let scene: Scene;
beforeAll(async () => {
  installQuietRuntime();
  const { codePath } = await sharedServer("workflowBundle");
  const { path: program } = await findTemporalCli(join(loadTestConfig().home, "bin"), () => {});
  const dynamicConfig = { "limit.historyCount.suggestContinueAsNew": suggestedAt };
  const place = { group, program, port: await freePort(), logFile: join(folder, "temporal.log") };
  const { address } = await startTemporal({ ...place, dynamicConfig });
  scene = await openScene({ address, codePath });
});
afterAll(async () => {
  await scene?.close();
  await group.stopAll();
  rmSync(folder, { recursive: true, force: true });
});

test("a flood of signals: each is heard once, in whichever run, and commands among them are answered once", {
  timeout: isNightly ? 1_800_000 : 60_000,
}, async () => {
  const subscriptionId = scene.id("sub");
  const at = new Date().toISOString();
  await scene.gateway.activateSubscription(
    { subscriptionId, customerId: scene.id("cus"), clock: null },
    { requestId: "activate", at, items: [{ planKey: "solo", seats: 1 }] },
  );
  const run = scene.client.workflow.getHandle(workflowIds.subscription(subscriptionId));
  const changeSeats = (seats: number) => {
    const command = { requestId: `seats-${seats}`, at: new Date().toISOString(), seats };
    return scene.gateway.commandSubscription(subscriptionId, changeQuantity, command);
  };
  let sent = 0;
  const lane = async () => {
    while (sent < signals) await run.signal(paymentStanding, { pastDue: sent++ % 2 === 0 });
  };
  const lanes = Array.from({ length: 25 }, lane);
  const first = await changeSeats(2);
  await Promise.all(lanes);
  await changeSeats(3);
  await run.signal(paymentStanding, { pastDue: true });
  expect(await changeSeats(2)).toEqual(first);
  expect(await run.query(standing)).toMatchObject({ status: "past_due", planKey: "solo", periodIndex: 0 });
  // An activity of a task that took too long is asked again: it books by the change's id.
  const booked = scene.standIns.asked("applyChange").map(({ changeId }) => changeId);
  expect([...new Set(booked)]).toEqual(["seats-2", "seats-3"]);

  const { runs, heard } = await chainOf(run.workflowId);
  expect(heard).toBe(signals + 1);
  expect(runs).toBeGreaterThan(1);
});

/** Of all continuations, the newest first, until the run that was the first. */
async function chainOf(workflowId: string): Promise<{ readonly runs: number; readonly heard: number }> {
  let [runs, heard] = [0, 0];
  for (let runId: string | null = ""; runId !== null; runs++) {
    const events = await eventsOf(workflowId, runId);
    heard += events.filter((event) => event.workflowExecutionSignaledEventAttributes != null).length;
    runId = events[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || null;
  }
  return { runs, heard };
}

/** @param runId the newest when empty */
async function eventsOf(workflowId: string, runId: string) {
  const { events } = await scene.client.workflow.getHandle(workflowId, runId || undefined).fetchHistory();
  return events ?? [];
}
