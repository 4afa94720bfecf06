import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleWorkflowCode, DefaultLogger, Worker } from "@temporalio/worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import { InvariantViolation } from "../../src/domain/errors.ts";
import { connectTemporal } from "../../src/temporal/connect.ts";
import { dataConverterOf } from "../../src/temporal/data-converter.ts";
import { workflowSources } from "../../src/workers/workflow-sources.ts";
import { cancel, tryAgain, workflowIds } from "../../src/workflows/messages.ts";
import { sharedServer } from "../support/shared-servers.ts";
import { installQuietRuntime } from "../support/temporal.ts";
import { resultOf, untilParked } from "../workflows/support/runs.ts";
import { openScene, type Scene } from "../workflows/support/scene.ts";
import { beginSubscription } from "../workflows/support/subscriptions.ts";

/** The workflows with keys, on a real server: what Temporal keeps cannot be read, and everybody who has the keys reads it. */

const key = { id: "2026-11", secret: randomBytes(32) };
const january = "2026-01-31T00:00:00.000Z";
let folder: string;
let codePath: string;
let address: string;
let scene: Scene;

beforeAll(async () => {
  installQuietRuntime();
  ({ address } = await sharedServer("temporal"));
  folder = await mkdtemp(join(tmpdir(), "encrypted-"));
  codePath = join(folder, "bundle.js");
  const { failureConverterPath } = dataConverterOf([key]);
  const { code } = await bundleWorkflowCode({
    ...workflowSources,
    ...(failureConverterPath === undefined ? {} : { failureConverterPath }),
    logger: new DefaultLogger("ERROR"),
  });
  writeFileSync(codePath, code);
  scene = await openScene({ address, codePath }, { payloadKeys: [key] });
});
afterAll(async () => {
  await scene.close();
  await rm(folder, { recursive: true });
});

/** All that the server keeps of a run, as text, and each payload in it with the place that it is at. */
async function keptOf(workflowId: string) {
  const history = await scene.client.workflow.getHandle(workflowId).fetchHistory();
  const payloads: { readonly place: string; readonly encoding: string; readonly content: string }[] = [];
  const visit = (value: unknown, place: string): void => {
    if (typeof value !== "object" || value === null) return;
    const { metadata, data } = value as { metadata?: { encoding?: string }; data?: string };
    const decode = (base64 = "") => Buffer.from(base64, "base64").toString("latin1");
    if (metadata?.encoding)
      payloads.push({ place, encoding: decode(metadata.encoding), content: decode(data) });
    else for (const [name, part] of Object.entries(value)) visit(part, `${place}/${name}`);
  };
  const plainObjects = JSON.parse(JSON.stringify(history));
  visit(plainObjects, "");
  return { history, payloads, text: JSON.stringify(plainObjects) };
}

test("a subscription lives as it does in plain, and its history shows neither commands nor answers", async () => {
  const clock = await scene.startClock(january);
  const { send, workflowId, customerId, answer } = await beginSubscription(scene, clock);
  expect(answer.status).toBe("active");
  await clock.advance("2026-03-01T00:00:00.000Z");
  await send(cancel, { at: "2026-03-01T00:00:00.000Z", when: "now" });
  await resultOf(scene.client, workflowId);

  const { payloads } = await keptOf(workflowId);
  // Search attributes must be readable to be searched; headers carry the id of a request; of what is done within a task the
  // engine keeps its name, its number and its times.
  const [open, closed] = [
    /searchAttributes|header|markerRecordedEventAttributes\/details\/data/i,
    /input|result|outcome|userMetadata/i,
  ];
  const kept = payloads.filter(({ place }) => !open.test(place));
  expect(kept.length).toBeGreaterThan(5);
  expect([...new Set(kept.map(({ encoding }) => encoding))]).toEqual(["binary/encrypted"]);
  expect(kept.every(({ place }) => closed.test(place))).toBe(true);
  expect(kept.filter(({ content }) => content.includes(customerId))).toEqual([]);
  const markers = payloads.filter(({ place }) => place.includes("marker") && open.test(place));
  expect(markers.length).toBeGreaterThan(0);
  expect(markers.filter(({ content }) => content.includes(customerId))).toEqual([]);
});

test("the message of a failure is encrypted, its type is not; a key less is told by name, and a replay needs it too", async () => {
  const clock = await scene.startClock(january);
  const period = { periodStart: "2025-12-31T00:00:00.000Z", periodEnd: january, graceSeconds: 0 };
  const input = {
    subscriptionId: scene.id("sub"),
    customerId: scene.id("cus"),
    ...period,
    clock: clock.reading(),
  };
  scene.standIns.inTurn(
    "closePeriod",
    () => {
      throw new InvariantViolation("the lines sum to the total");
    },
    () => ({ outcome: "closed", invoiceId: null, collect: false }),
  );
  await scene.gateway.startBillingCycle(input);
  const workflowId = workflowIds.billingCycle(input.subscriptionId, input.periodStart);
  const { details, errorClass } = await untilParked(scene.client, workflowId);
  expect(details).toContain("the lines sum to the total");
  expect(errorClass).toBe("invariant_violated");
  const { text } = await keptOf(workflowId);
  expect(text).toContain("invariant_violated");
  expect(text).toContain("Encoded failure");
  expect(text).not.toContain("the lines sum to the total");

  const target = { address, namespace: "default", apiKey: undefined, tls: false, taskQueue: scene.taskQueue };
  const stranger = await connectTemporal({
    ...target,
    payloadKeys: [{ id: "other", secret: randomBytes(32) }],
  });
  const asked = stranger.workflow.getHandle(workflowId).query("__temporal_workflow_metadata");
  await expect(asked).rejects.toThrow('a payload is encrypted with the key "2026-11"');
  await stranger.connection.close();

  await scene.client.workflow.getHandle(workflowId).signal(tryAgain);
  await resultOf(scene.client, workflowId);
  const { history } = await keptOf(workflowId);
  const replaying = { workflowBundle: { codePath }, dataConverter: dataConverterOf([key]) };
  await Worker.runReplayHistory(replaying, history, workflowId);
});
