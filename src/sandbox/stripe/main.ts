import { loadSandboxConfig } from "../../config.ts";
import { startStripeSandbox } from "./index.ts";

const { host, port, journalPath } = loadSandboxConfig();
const sandbox = await startStripeSandbox({ host, port, journalPath, log: (line) => console.error(line) });
console.log(`Stripe stand-in on ${sandbox.url}, remembering in ${journalPath}`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await sandbox.close();
    process.exit(0);
  });
}
