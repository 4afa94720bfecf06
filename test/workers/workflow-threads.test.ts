import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import threads from "node:worker_threads";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lightenWorkflowThreads } from "../../src/workers/workflow-threads.ts";

/** Says whether it can observe promises, as the SDK's threads try to when they begin. */
const program = `
  const { parentPort } = require("node:worker_threads");
  let said = "observed";
  try { require("node:v8").promiseHooks.createHook({ init() {} })(); } catch { said = "not observed"; }
  parentPort.postMessage(said);`;

const folder = mkdtempSync(join(tmpdir(), "reckoner-threads-"));
const { Worker } = threads;
beforeAll(lightenWorkflowThreads);
afterAll(() => {
  threads.Worker = Worker;
  rmSync(folder, { recursive: true });
});

test.each([
  { file: "workflow-worker-thread.js", said: "not observed" },
  { file: "another-thread.js", said: "observed" },
])("promises of a thread with $file are $said", async ({ file, said }) => {
  writeFileSync(join(folder, file), program);
  const thread = new threads.Worker(join(folder, file));
  const [message] = await once(thread, "message");
  await thread.terminate();
  expect(message).toBe(said);
});

test("the SDK still runs workflows in threads of that name", () => {
  expect(import.meta.resolve("@temporalio/worker/lib/workflow/workflow-worker-thread.js")).toMatch(
    /workflow-worker-thread\.js$/,
  );
});
