import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { childEnvironment, loadTestConfig } from "../../src/config.ts";
import { runCommand } from "../../src/sandbox/local-services/child-process.ts";
import { freePort, localHost } from "../../src/sandbox/local-services/ports.ts";
import { createServiceGroup } from "../../src/sandbox/local-services/service-group.ts";

export interface ObjectStorage {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** An object storage of others that speaks S3, with versions, object lock and conditional writes: a Python program. */
const packages = ["moto[s3]==5.2.5", "flask==3.1.3", "flask-cors==6.0.5"];

const installTimeoutMs = 5 * 60_000;

/** Starts an empty one; the first time on a machine it is fetched, which takes some seconds. */
export async function startObjectStorage(): Promise<ObjectStorage> {
  const library = await installedLibrary();
  const folder = mkdtempSync(join(tmpdir(), "reckoner-objects-"));
  const port = await freePort();
  const endpoint = `http://${localHost}:${port}`;
  const group = createServiceGroup();
  const server = group.start({
    name: "the object storage",
    command: "python3",
    args: ["-m", "moto.server", "-H", localHost, "-p", String(port)],
    environment: childEnvironment({ PYTHONPATH: library }),
    logFile: join(folder, "objects.log"),
  });
  await server.ready(() =>
    fetch(`${endpoint}/moto-api/`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return {
    endpoint,
    async stop() {
      await group.stopAll();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The folder that Python finds the packages in; made once for each version of Python. */
async function installedLibrary(): Promise<string> {
  const python = await runCommand("python3", ["-c", "import sys; print(sys.implementation.cache_tag)"]);
  const parent = join(loadTestConfig().home, "python");
  const library = join(parent, `moto-5.2.5-${python.trim()}`);
  if (existsSync(library)) return library;
  mkdirSync(parent, { recursive: true });
  const download = mkdtempSync(join(parent, "download-"));
  try {
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", download];
    await runCommand("python3", [...install, ...packages], { timeoutMs: installTimeoutMs });
    renameSync(download, library);
  } finally {
    rmSync(download, { recursive: true, force: true });
  }
  return library;
}
