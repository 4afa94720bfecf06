import { loadSandboxConfig } from "../../config.ts";
import { startStripeSandbox } from "./index.ts";

const { host, port, journalPath } = loadSandboxConfig();
try {
  const log = (line: string) => console.error(line);
  const sandbox = await startStripeSandbox({ host, port, journalPath, log });
  console.log(`Stripe stand-in on ${sandbox.url}, remembering in ${journalPath}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => sandbox.close());
} catch (error) {
  const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  if (!isTaken) throw error;
  console.error(`port ${port} is taken: stop the other program, or set STRIPE_SANDBOX_PORT to a free port`);
  process.exitCode = 1;
}
