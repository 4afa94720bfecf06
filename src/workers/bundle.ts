import { writeFile } from "node:fs/promises";
import { bundleWorkflowCode } from "@temporalio/worker";
import { workflowSources } from "./workflow-sources.ts";

/** Bundles the workflows as a worker would: the check fails when something gets in that cannot be replayed. */
const { code } = await bundleWorkflowCode(workflowSources);
const target = process.argv[2];
if (target !== undefined) await writeFile(target, code);
process.stdout.write(`workflow bundle: ${Math.round(code.length / 1024)} KiB\n`);
