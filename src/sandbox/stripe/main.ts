import { configurationOrExit, loadSandboxConfig } from "../../config.ts";
import { startStripeSandbox } from "./index.ts";

const { host, port, journalPath, webhook } = configurationOrExit(loadSandboxConfig);
try {
  const log = (line: string) => console.error(line);
  const sandbox = await startStripeSandbox({ host, port, journalPath, log, ...(webhook && { webhook }) });
  console.log(`Stripe stand-in on ${sandbox.url}, remembering in ${journalPath}`);
  if (webhook) console.log(`its events are sent to ${webhook.url}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => sandbox.close());
} catch (error) {
  const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  if (!isTaken) throw error;
  console.error(`port ${port} is taken: stop the other program, or set STRIPE_SANDBOX_PORT to a free port`);
  process.exitCode = 1;
}
