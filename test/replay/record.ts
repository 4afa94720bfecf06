import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleWorkflowCode, DefaultLogger, Runtime } from "@temporalio/worker";
import packageJson from "../../package.json" with { type: "json" };
import { loadTestConfig } from "../../src/config.ts";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import { createServiceGroup } from "../../src/sandbox/local-services/service-group.ts";
import { findTemporalCli } from "../../src/sandbox/local-services/temporal-cli.ts";
import { startTemporal } from "../../src/sandbox/local-services/temporal-server.ts";
import { workflowSources } from "../../src/workers/workflow-sources.ts";
import { openScene, type Scene } from "../workflows/support/scene.ts";
import { historiesFolder, textOfHistory } from "./history-file.ts";
import { paths } from "./paths.ts";

const target = join(historiesFolder, packageJson.version);

/**
 * Records one history of every way that a workflow can take, for the version in package.json: done once, when it is
 * released. From then on `replay.test.ts` shows with every change that runs begun with that version can go on.
 */
async function record(): Promise<void> {
  if (existsSync(target)) {
    say(
      `${packageJson.version} has its histories; before its release, delete ${target} to record them again`,
    );
    process.exitCode = 1;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "reckoner-histories-"));
  const group = createServiceGroup();
  const logger = new DefaultLogger("ERROR");
  Runtime.install({ logger });
  try {
    const { path: program } = await findTemporalCli(join(loadTestConfig().home, "bin"), say);
    const logFile = join(folder, "temporal.log");
    const { address } = await startTemporal({ group, program, port: await freePort(), logFile });
    const { code } = await bundleWorkflowCode({ ...workflowSources, logger });
    const codePath = join(folder, "workflow-bundle.js");
    writeFileSync(codePath, code);
    const scene = await openScene({ address, codePath }, { taskQueue: "reckoner" });
    for (const path of paths) await recordPath(scene, path);
    await scene.close();
  } finally {
    await group.stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function recordPath(scene: Scene, path: (typeof paths)[number]): Promise<void> {
  mkdirSync(target, { recursive: true });
  scene.standIns.reset();
  const recorded = await path(scene);
  for (const [name, { workflowId, runId }] of Object.entries(recorded)) {
    const text = textOfHistory(await scene.client.workflow.getHandle(workflowId, runId).fetchHistory());
    writeFileSync(join(target, `${name}.json`), text);
    say(`${name}: ${text.split("\n").length - 3} events`);
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await record();
