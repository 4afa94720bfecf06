import { startStripeSandbox } from "../../../src/sandbox/stripe/index.ts";

/** A stand-in in a process of its own, for tests that kill it: `node sandbox-process.ts JOURNAL`. */
const [journalPath] = process.argv.slice(2);
if (journalPath === undefined) throw new Error("usage: node sandbox-process.ts JOURNAL");
const { url } = await startStripeSandbox({ port: 0, journalPath, webhookRetryDelaysMs: [50, 50] });
process.send?.(url);
