import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { Client, Connection } from "@temporalio/client";
import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { loadTestConfig } from "../src/config.ts";
import { freePort, localHost, requireFreePort } from "../src/sandbox/local-services/ports.ts";
import { startPostgres } from "../src/sandbox/local-services/postgres.ts";
import { createProgress } from "../src/sandbox/local-services/progress.ts";
import { isRunning } from "../src/sandbox/local-services/running-processes.ts";
import { searchAttributes } from "../src/sandbox/local-services/search-attributes.ts";
import { createServiceGroup, type ServiceGroup } from "../src/sandbox/local-services/service-group.ts";
import { findTemporalCli } from "../src/sandbox/local-services/temporal-cli.ts";
import { startTemporal } from "../src/sandbox/local-services/temporal-server.ts";

let folder: string;
const groups: ServiceGroup[] = [];

function newGroup(): ServiceGroup {
  const group = createServiceGroup();
  groups.push(group);
  return group;
}

/** A program that runs until it is told to end, as Node understands it. */
const idle = "setInterval(() => {}, 1000);";

const nodeService = (name: string, code: string) => ({
  name,
  command: process.execPath,
  args: ["-e", code],
  logFile: join(folder, `${name}.log`),
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(20);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reckoner-services-"));
  chmodSync(folder, 0o711); // PostgreSQL may run under another account
});

afterEach(async () => {
  for (const group of groups.splice(0)) await group.stopAll();
  rmSync(folder, { recursive: true, force: true });
});

describe("progress", () => {
  test("a slow step is announced, a quick one only when it is over", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const output = new PassThrough();
    const progress = createProgress(output);
    await progress.step("Quick", async (note) => note("a detail"));
    const slow = progress.step("Slow", () => new Promise((resolve) => setTimeout(resolve, 3_000)));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(String(output.read())).toBe("  ✓ Quick: a detail  0.0 s\n  … Slow\n");
    await vi.advanceTimersByTimeAsync(1_000);
    await slow;
    expect(String(output.read())).toBe("  ✓ Slow  3.0 s\n");
    vi.useRealTimers();
  });
});

describe("ports", () => {
  test("a taken port says what to do", async () => {
    const server = createServer().listen(0, localHost);
    await until(() => server.listening);
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    await expect(requireFreePort(port, "Temporal", "TEMPORAL_PORT")).rejects.toThrow(
      `port ${port}, which Temporal needs, is taken: stop the other program, or set TEMPORAL_PORT to a free port`,
    );
    server.close();
  });
});

describe("services", () => {
  test("one that dies before it is ready fails at once, with its last lines", async () => {
    const service = newGroup().start(nodeService("part", 'console.error("no such plan"); process.exit(3)'));
    const ready = service.ready(async () => false);
    await expect(ready).rejects.toThrow(
      /^part ended with code 3; its last lines \(.*part\.log\):\n {4}no such plan$/,
    );
  });

  test("one that cannot be started says why", async () => {
    const service = newGroup().start({ ...nodeService("part", ""), command: "/nowhere/program" });
    await expect(service.ready(async () => false)).rejects.toThrow(/^part could not be started: .*ENOENT/);
  });

  test("one that dies later is noticed", async () => {
    const group = newGroup();
    const service = group.start(nodeService("part", idle));
    await service.ready(async () => true);
    process.kill(service.pid, "SIGKILL");
    await expect(group.firstDeath).resolves.toMatchObject({
      ending: "was killed by SIGKILL",
      service: { name: "part" },
    });
  });

  test("all are stopped cleanly, the newest first, and one that will not stop is killed", async () => {
    const group = newGroup();
    const log = (name: string) => readFileSync(join(folder, `${name}.log`), "utf8");
    for (const name of ["first", "second"]) {
      const clean = `console.log("up"); process.on("SIGTERM", () => { console.log("clean"); process.exit() }); ${idle}`;
      await group.start(nodeService(name, clean)).ready(async () => log(name).includes("up"));
    }
    const stubborn = group.start(
      nodeService("third", `process.on("SIGTERM", () => {}); console.log("up"); ${idle}`),
    );
    await stubborn.ready(async () => log("third").includes("up"));
    await stubborn.stop(100);
    expect(await stubborn.exited).toBe("was killed by SIGKILL");

    const stopped: string[] = [];
    await group.stopAll(({ name }) => stopped.push(name));
    expect(stopped).toEqual(["second", "first"]);
    expect([log("first"), log("second")]).toEqual(["up\nclean\n", "up\nclean\n"]);
  });

  test("they end with their supervisor, even when it is killed", async () => {
    const module = join(import.meta.dirname, "../src/sandbox/local-services/service-group.ts");
    const program = { command: process.execPath, args: ["-e", idle] };
    const code = `
      const { createServiceGroup } = await import(${JSON.stringify(module)});
      const group = createServiceGroup();
      const start = (name) => group.start({ ...${JSON.stringify(program)}, name, logFile: ${JSON.stringify(folder)} + "/" + name });
      console.log(start("first").pid, start("second").pid, group.guardianPid);
      ${idle}`;
    const supervisor = spawn(process.execPath, ["--input-type=module", "-e", code], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said] = await once(supervisor.stdout, "data");
    const pids = String(said).trim().split(" ").map(Number);
    expect(pids).toHaveLength(3);
    expect(pids.every(isRunning)).toBe(true);
    supervisor.kill("SIGKILL");
    await until(() => !pids.some(isRunning));
  });
});

describe("PostgreSQL", () => {
  async function start(group: ServiceGroup, notes: string[] = []) {
    const place = { folder: join(folder, "postgres"), logFile: join(folder, "postgres.log") };
    const { adminUrl } = await startPostgres({
      ...place,
      group,
      port: await freePort(),
      note: (text) => notes.push(text),
    });
    return postgres(adminUrl, { max: 1, onnotice: () => {} });
  }
  const postmasterPid = () =>
    Number(readFileSync(join(folder, "postgres/data/cluster/postmaster.pid"), "utf8").split("\n")[0]);

  test("keeps its data when it is killed, alone or with its backends, and when its supervisor forgets it", async () => {
    const first = newGroup();
    const before = await start(first);
    await before`create table fact (n int)`;
    await before`insert into fact values (1)`;
    process.kill(postmasterPid(), "SIGKILL"); // its backends are still there when the next server starts
    const second = newGroup();
    const afterPostmaster = await start(second);
    await afterPostmaster`insert into fact values (2)`;
    second.killAll();
    const third = newGroup();
    const afterAll = await start(third);
    await afterAll`insert into fact values (3)`;

    const notes: string[] = [];
    const afterNeglect = await start(newGroup(), notes);
    expect(notes).toContain("stopping the server of an earlier start");
    expect(await afterNeglect`select n from fact order by n`).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    for (const client of [before, afterPostmaster, afterAll, afterNeglect]) await client.end({ timeout: 1 });
  }, 60_000);
});

describe("Temporal", () => {
  test("keeps its runs when it is killed, and knows our search attributes", async () => {
    const { path: program } = await findTemporalCli(join(loadTestConfig().home, "bin"), () => {});
    const place = {
      program,
      databaseFile: join(folder, "temporal.db"),
      logFile: join(folder, "temporal.log"),
    };
    const workflow = { workflowId: "kept", taskQueue: "nobody" };
    const onServer = async <T>(group: ServiceGroup, work: (client: Client) => Promise<T>): Promise<T> => {
      const { address } = await startTemporal({ ...place, group, port: await freePort() });
      const connection = await Connection.connect({ address });
      try {
        return await work(new Client({ connection }));
      } finally {
        await connection.close();
      }
    };
    const killed = newGroup();
    await onServer(killed, (client) => client.workflow.start("subscription", workflow));
    killed.killAll();
    await onServer(newGroup(), async (client) => {
      expect(await client.workflow.getHandle("kept").describe()).toMatchObject({
        status: { name: "RUNNING" },
      });
      const known = await client.connection.operatorService.listSearchAttributes({ namespace: "default" });
      expect(Object.keys(known.customAttributes)).toEqual(
        expect.arrayContaining(Object.keys(searchAttributes)),
      );
    });
    expect(existsSync(place.databaseFile)).toBe(true);
  }, 120_000);
});
