import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode } from "@temporalio/worker";

/** Bundles the workflows as a worker would: the check fails when something gets in that cannot be replayed. */
const workflowsPath = fileURLToPath(new URL("../workflows/index.ts", import.meta.url));
const { code } = await bundleWorkflowCode({ workflowsPath });
const target = process.argv[2];
if (target !== undefined) await writeFile(target, code);
process.stdout.write(`workflow bundle: ${Math.round(code.length / 1024)} KiB\n`);
