import { join } from "node:path";
import { DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { loadNow } from "../figures.ts";
import type { CpuByPart, SystemUnderTest } from "./system-under-test.ts";
import { forEach } from "./workload.ts";

export interface EngineLimitFigures {
  readonly load: number;
  readonly workflows: number;
  readonly activitiesEach: number;
  readonly perSecond: number;
  /** Milliseconds of CPU for each workflow, by part; the worker and the caller are this process. */
  readonly cpuMs: CpuByPart;
}

/** What the server does at all: a workflow with as many activities as a cycle and its collection, which do nothing. */
export async function measureEngineLimit(
  { temporal, address, cpu }: SystemUnderTest,
  { workflows, activitiesEach }: { readonly workflows: number; readonly activitiesEach: number },
  note: Note,
): Promise<EngineLimitFigures> {
  Runtime.install({ logger: new DefaultLogger("ERROR") });
  const connection = await NativeConnection.connect({ address });
  const taskQueue = "engine-limit";
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: join(import.meta.dirname, "engine-limit-workflows.ts"),
    activities: { nothing: async () => {} },
  });
  const load = loadNow();
  const running = worker.runUntil(async () => {
    const execute = (number: number) =>
      temporal.workflow.execute("steps", {
        workflowId: `steps-${number}`,
        taskQueue,
        args: [activitiesEach],
      });
    // What is compiled and cached on the way is not counted.
    await forEach(50, 50, "workflows to warm up", note, (number) => execute(-1 - number));
    const spent = cpu();
    const startedAt = performance.now();
    await forEach(workflows, 50, "empty workflows", note, execute);
    return { seconds: (performance.now() - startedAt) / 1_000, spent: spent() };
  });
  const { seconds, spent } = await running;
  await connection.close();
  const cpuMs = Object.fromEntries(
    Object.entries(spent).map(([part, each]) => [part, Math.round((each * 100_000) / workflows) / 100]),
  );
  return { load, workflows, activitiesEach, perSecond: Math.round((workflows / seconds) * 10) / 10, cpuMs };
}
