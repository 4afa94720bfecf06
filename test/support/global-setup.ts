import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";
import { loadTestConfig, projectFolder } from "../../src/config.ts";
import { freePort, localHost } from "../../src/sandbox/local-services/ports.ts";
import { startPostgres } from "../../src/sandbox/local-services/postgres.ts";
import * as roles from "../../src/sandbox/local-services/postgres-roles.ts";
import { createProgress } from "../../src/sandbox/local-services/progress.ts";
import { createServiceGroup } from "../../src/sandbox/local-services/service-group.ts";
import { findTemporalCli } from "../../src/sandbox/local-services/temporal-cli.ts";
import { prepareGivenTemporal, startTemporal } from "../../src/sandbox/local-services/temporal-server.ts";
import { workflowSources } from "../../src/workers/workflow-sources.ts";
import type { SharedServers } from "./shared-servers.ts";

type Starters = { readonly [Name in keyof SharedServers]: () => Promise<SharedServers[Name]> };

/**
 * Test files run in processes of their own and share servers. They ask this process for them over HTTP, so that each
 * server is started at most once, only when a file of the run needs it, and is ended here whatever happens to the files.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "reckoner-test-"));
  const ending: (() => Promise<void>)[] = [];
  chmodSync(folder, 0o711); // PostgreSQL may run under another account
  const door = createServer(answerWith(starters(folder, ending)));
  await new Promise<void>((resolve) => door.listen(0, localHost, resolve));
  project.provide("sharedServersUrl", `http://${localHost}:${(door.address() as AddressInfo).port}`);
  return async () => {
    door.close();
    door.closeAllConnections();
    for (const end of ending.toReversed()) await end();
    rmSync(folder, { recursive: true, force: true });
  };
}

function answerWith(start: Starters): Parameters<typeof createServer>[1] {
  const started = new Map<string, Promise<unknown>>();
  return async (request, response) => {
    const name = request.url?.slice(1) as keyof SharedServers;
    const server = started.get(name) ?? start[name]();
    started.set(name, server);
    await server.then(
      (facts) => response.end(JSON.stringify(facts)),
      (error) => response.writeHead(500).end(String(error)),
    );
  };
}

function starters(folder: string, ending: (() => Promise<void>)[]): Starters {
  const { home, databaseUrl, temporalAddress } = loadTestConfig();
  const progress = createProgress();
  const group = createServiceGroup();
  ending.push(() => group.stopAll());
  return {
    postgres: () =>
      progress.step("PostgreSQL for the tests", async (note) => {
        if (databaseUrl === undefined) {
          const logFile = join(folder, "postgres.log");
          const place = { folder: join(folder, "postgres"), logFile, port: await freePort() };
          // Speed over power cuts: a killed server still loses nothing.
          const settings = { fsync: "off", full_page_writes: "off", max_connections: "200" };
          const { adminUrl } = await startPostgres({ ...place, group, settings, note });
          return prepareTemplate(adminUrl, ending);
        }
        return prepareTemplate(databaseUrl, ending);
      }),
    temporal: () =>
      progress.step("Temporal for the tests", async (note) => {
        if (temporalAddress !== undefined) {
          const given = { address: temporalAddress, namespace: "default", apiKey: undefined, tls: false };
          await prepareGivenTemporal(given, "TEST_TEMPORAL_ADDRESS");
          return { address: temporalAddress };
        }
        const { path: program, version } = await findTemporalCli(join(home, "bin"), note);
        note(`starting ${version}`);
        const logFile = join(folder, "temporal.log");
        return startTemporal({ group, program, port: await freePort(), logFile });
      }),
    console: () => progress.step("console for the tests", () => buildConsole(join(folder, "console"))),
    workflowBundle: () => progress.step("workflow bundle for the tests", () => bundleWorkflows(folder)),
  };
}

/** Roles belong to the whole server, so on one that is shared their passwords must be the same for every run. */
async function prepareTemplate(
  adminUrl: string,
  ending: (() => Promise<void>)[],
): Promise<SharedServers["postgres"]> {
  const derived = (role: string) => createHash("sha256").update(`${role} ${adminUrl}`).digest("base64url");
  const passwords = { owner: derived("owner"), application: derived("application") };
  const template = `reckoner_template_${process.pid}`;
  await roles.ensureRoles(adminUrl, passwords);
  await roles.createDatabase(adminUrl, template);
  ending.push(() => roles.dropDatabase(adminUrl, template));
  const { migrate } = await import("../../src/db/migrate.ts");
  await migrate(roles.roleUrls(adminUrl, template, passwords));
  return { adminUrl, template, passwords };
}

async function bundleWorkflows(folder: string): Promise<SharedServers["workflowBundle"]> {
  const { bundleWorkflowCode, DefaultLogger } = await import("@temporalio/worker");
  const { code } = await bundleWorkflowCode({
    ...workflowSources,
    logger: new DefaultLogger("WARN"),
  });
  const codePath = join(folder, "workflow-bundle.js");
  writeFileSync(codePath, code);
  return { codePath };
}

/** The very build that is deployed: in a process of its own, because this one is set up for tests. */
async function buildConsole(folder: string): Promise<SharedServers["console"]> {
  const options = ["build", "-c", "src/console/vite.config.ts", "--outDir", folder, "--emptyOutDir"];
  await promisify(execFile)(process.execPath, ["node_modules/vite/bin/vite.js", ...options], {
    cwd: projectFolder,
    env: { ...process.env, NODE_ENV: "production" },
  });
  return { folder };
}
