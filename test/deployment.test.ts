import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { parts } from "../src/config/parts.ts";
import {
  loadApiConfig,
  loadMigrationConfig,
  loadSandboxConfig,
  loadWorkerConfig,
  projectFolder,
} from "../src/config.ts";
import { searchAttributes } from "../src/sandbox/local-services/search-attributes.ts";
import { searchAttributes as usedSearchAttributes } from "../src/workflows/search-attributes.ts";

/** There is no Docker where the tests run, so the files are read and compared with the code they deploy. */
const read = (path: string) => readFileSync(join(projectFolder, path), "utf8");

const dependency = z.object({
  condition: z.enum(["service_healthy", "service_completed_successfully", "service_started"]),
});
const service = z.object({
  image: z.string(),
  build: z.string().optional(),
  restart: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), dependency).default({}),
  healthcheck: z.object({ test: z.tuple([z.literal("CMD")], z.string()) }).optional(),
  profiles: z.array(z.string()).default([]),
  configs: z.array(z.object({ source: z.string(), target: z.string() })).default([]),
});
const composeFile = z.object({
  services: z.record(z.string(), service),
  configs: z.record(z.string(), z.object({ content: z.string() })),
});

const composeText = read("docker-compose.yml");
const compose = composeFile.parse(parse(composeText, { merge: true }));
const services = Object.entries(compose.services);
const isJob = ({ restart }: z.infer<typeof service>) => restart === "no";

const packageFile = z
  .object({ scripts: z.record(z.string(), z.string()), dependencies: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read("package.json")));

/** `${NAME:-default}` and `${NAME:?message}`, as Docker Compose understands them. */
const interpolation = /(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}/g;

function environmentOf(name: string, given: Readonly<Record<string, string>> = {}): Record<string, string> {
  const filled = Object.entries(compose.services[name]?.environment ?? {}).map(([variable, value]) => [
    variable,
    value.replaceAll(interpolation, (_, known: string, kind: string, fallback: string) =>
      given[known] !== undefined ? given[known] : kind === "-" ? fallback : "secret",
    ),
  ]);
  return Object.fromEntries(filled);
}

describe("docker-compose.yml", () => {
  test.each(services)("%s runs a pinned image", (_name, { image, build }) => {
    expect(image).toMatch(/^[a-z][\w./-]*:\d+\.\d+(\.\d+)?$/);
    if (build === undefined) expect(image).not.toMatch(/^reckoner:/);
  });

  test.each(services)(
    "%s: a server says whether it is healthy, a job ends and is waited for",
    (name, each) => {
      const conditions = services.flatMap(([, { depends_on }]) => depends_on[name]?.condition ?? []);
      if (isJob(each)) {
        expect(each.healthcheck).toBeUndefined();
        expect(new Set(conditions)).toEqual(new Set(["service_completed_successfully"]));
      } else {
        expect(each.healthcheck?.test.length).toBeGreaterThan(1);
        for (const condition of conditions) expect(condition).toBe("service_healthy");
      }
    },
  );

  test.each(services)("%s waits only for services that run without a profile", (_name, { depends_on }) => {
    for (const needed of Object.keys(depends_on)) expect(compose.services[needed]?.profiles).toEqual([]);
  });

  test.each([
    ["api", parts.api],
    ["worker", parts.worker],
    ["migrate", parts.migration],
    ["stripe-sandbox", parts.sandbox],
  ])("%s is told exactly the variables that it reads", (name, part) => {
    const told = Object.keys(compose.services[name]?.environment ?? {});
    expect(told.toSorted()).toEqual(Object.keys(part.shape).toSorted());
  });

  test("what the services are told is a good configuration", () => {
    const given = { STRIPE_API_KEY: "sk_test_1", STRIPE_WEBHOOK_SECRETS: "whsec_1" };
    const api = loadApiConfig(environmentOf("api", given));
    expect(api).toMatchObject({ host: "0.0.0.0", port: 8155, testClocks: "refused" });
    const worker = loadWorkerConfig(environmentOf("worker", given));
    expect(worker.database).toEqual(api.database);
    expect(worker.temporal).toEqual(api.temporal);
    expect(loadMigrationConfig(environmentOf("migrate")).appUrl).toBe(api.database.url);
    expect(loadSandboxConfig(environmentOf("stripe-sandbox")).host).toBe("0.0.0.0");
  });

  test("health checks ask the port that the service listens on", () => {
    const port = (name: string) =>
      /:(\d+)\//.exec(compose.services[name]?.healthcheck?.test.join(" ") ?? "")?.[1];
    expect(port("api")).toBe(environmentOf("api").API_PORT);
    expect(port("worker")).toBe(environmentOf("worker").WORKER_METRICS_PORT);
    expect(port("stripe-sandbox")).toBe(environmentOf("stripe-sandbox").STRIPE_SANDBOX_PORT);
  });

  test("every value that the user gives is in .env.example, and secrets have no default", () => {
    const listed = parseEnv(read(".env.example"));
    const used = [...composeText.matchAll(interpolation)];
    expect(used.map(([, name]) => name).filter((name) => !(name && name in listed))).toEqual([]);
    const isSecret = (name = "") => /PASSWORD|KEY|SECRET/.test(name);
    for (const [, name, , fallback = ""] of used.filter(([, name]) => isSecret(name))) {
      expect([name, ["", "set it in .env"].includes(fallback)]).toEqual([name, true]);
    }
  });

  test("Temporal is given the search attributes that the workflows use", () => {
    const script = parse(composeText, { merge: true }).services["temporal-namespace"].command.join("\n");
    const given = [...script.matchAll(/--name (\w+) --type (\w+)/g)].map(([, name, type]) => [name, type]);
    expect(Object.fromEntries(given)).toEqual(searchAttributes);
    const used = Object.values(usedSearchAttributes).map(({ name, type }) => [name, type]);
    const known = Object.entries(searchAttributes).map(([name, type]) => [name, type.toUpperCase()]);
    expect(Object.fromEntries(used)).toEqual(Object.fromEntries(known));
  });

  test("files that are mounted are defined", () => {
    const sources = services.flatMap(([, { configs }]) => configs.map(({ source }) => source));
    expect(sources.toSorted()).toEqual(Object.keys(compose.configs).toSorted());
    expect(() => parse(compose.configs.temporal?.content ?? "")).not.toThrow();
  });

  test("our services run entries that exist", () => {
    for (const [name, { build, command = [] }] of services) {
      if (build === undefined) continue;
      const [program, entry = ""] = command;
      expect([name, program, existsSync(join(projectFolder, entry))]).toEqual([name, "node", true]);
    }
  });
});

describe("Dockerfile", () => {
  const lines = read("Dockerfile")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ instruction: line.split(" ")[0], words: line.split(" ").slice(1) }));
  const all = (instruction: string) => lines.filter((line) => line.instruction === instruction);

  test("builds on the Node that package.json pins", () => {
    const bases = all("FROM").map(({ words }) => words[0]);
    const stages = all("FROM").flatMap(({ words }) => words.slice(2));
    expect(bases.filter((base) => !stages.includes(base ?? ""))).toEqual([
      `node:${packageFile.dependencies.node}-slim`,
    ]);
  });

  test("the last stage has production dependencies and runs as a user without rights", () => {
    const lastStage = lines.slice(lines.findLastIndex(({ instruction }) => instruction === "FROM"));
    expect(all("RUN").map(({ words }) => words.join(" "))).toContain("npm ci --omit=dev --ignore-scripts");
    expect(lastStage.find(({ instruction }) => instruction === "USER")?.words).toEqual(["node"]);
    expect(lastStage.at(-1)?.instruction).toBe("CMD");
  });

  test("copies only what exists and is not ignored", () => {
    const ignored = read(".dockerignore").split("\n");
    const sources = all("COPY")
      .filter(({ words }) => !words[0]?.startsWith("--from"))
      .flatMap(({ words }) => words.slice(0, -1));
    for (const source of sources) {
      expect([source, existsSync(join(projectFolder, source))]).toEqual([source, true]);
      expect(ignored).not.toContain(source);
    }
  });

  test("neither secrets nor local data get into the image", () => {
    expect(read(".dockerignore").split("\n")).toEqual(
      expect.arrayContaining([".env", ".git", ".reckoner", "**/node_modules"]),
    );
  });
});

describe("package.json", () => {
  test.each(Object.entries(packageFile.scripts))("%s runs what exists", (_name, script) => {
    const files = [...script.matchAll(/(?:node|--config) (\S+\.ts)/g)].map(([, file = ""]) => file);
    expect(files.filter((file) => !existsSync(join(projectFolder, file)))).toEqual([]);
  });
});

describe(".ci/run", () => {
  test("is a script that the shell understands and that runs what package.json has", () => {
    execFileSync("bash", ["-n", join(projectFolder, ".ci/run")]);
    const names = [...read(".ci/run").matchAll(/npm run (?:--\S+ )?(\S+)/g)].map(([, name = ""]) => name);
    expect(names).toContain("check");
    for (const name of names) expect(packageFile.scripts).toHaveProperty(name);
  });
});
