import { startStripeSandbox } from "../../src/sandbox/stripe/index.ts";

/** The stand-in in a process of its own, so that its CPU is its own: `node stand-in-process.ts JOURNAL`. */
const [journalPath = ""] = process.argv.slice(2);
const startedAt = performance.now();
const { url } = await startStripeSandbox({ port: 0, ...(journalPath === "" ? {} : { journalPath }) });
process.send?.({ url, startSeconds: (performance.now() - startedAt) / 1000 });
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuSeconds: (user + system) / 1e6 });
});
