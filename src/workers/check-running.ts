import { DefaultLogger, Runtime } from "@temporalio/worker";
import { configurationOrExit, loadWorkerConfig } from "../config.ts";
import { connectTemporal } from "../temporal/connect.ts";
import { dataConverterOf } from "../temporal/data-converter.ts";
import { replayRunning } from "./replay-running.ts";
import { workflowSources } from "./workflow-sources.ts";

/** `npm run runs:replay`: can this code go on with the runs of the deployment that it is configured for? */
const types = [
  "subscription",
  "billingCycle",
  "collection",
  "dunning",
  "proration",
  "topUp",
  "refund",
  "withdrawal",
  "cycleClose",
];
const perType = 50;

const { temporal } = configurationOrExit(loadWorkerConfig);
Runtime.install({ logger: new DefaultLogger("ERROR") });
const client = await connectTemporal({ ...temporal, taskQueue: temporal.taskQueuePrefix });
const { workflowsPath, workflowInterceptorModules } = workflowSources;
const code = {
  workflowsPath,
  interceptors: { workflowModules: workflowInterceptorModules },
  dataConverter: dataConverterOf(temporal.payloadKeys),
};
const { replayed, stranded } = await replayRunning(client, code, { types, perType });
for (const { workflowId, reason } of stranded) process.stdout.write(`${workflowId}: ${reason}\n`);
process.stdout.write(`${replayed} open runs replayed, ${stranded.length} of them could not go on\n`);
await client.connection.close();
process.exitCode = stranded.length === 0 ? 0 : 1;
