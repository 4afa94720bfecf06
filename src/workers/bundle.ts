import { writeFile } from "node:fs/promises";
import { bundleWorkflowCode } from "@temporalio/worker";
import { workflowSources } from "./workflow-sources.ts";

/**
 * Bundles the workflows as a worker would: the check fails when something gets in that cannot be replayed. Given a path, it writes
 * them there, for workers that are told of it (WORKFLOW_BUNDLE) and then start without making one.
 */
const { code } = await bundleWorkflowCode(workflowSources);
const target = process.argv[2];
if (target !== undefined) await writeFile(target, code);
process.stdout.write(`workflow bundle: ${Math.round(code.length / 1024)} KiB\n`);
