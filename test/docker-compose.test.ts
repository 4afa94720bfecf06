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
import { createStripe } from "../src/stripe/index.ts";
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
  network_mode: z.string().optional(),
  ports: z.array(z.string()).default([]),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), dependency).default({}),
  healthcheck: z.object({ test: z.tuple([z.literal("CMD")], z.string()) }).optional(),
  configs: z.array(z.object({ source: z.string(), target: z.string() })).default([]),
});
type Service = z.infer<typeof service>;
const composeFile = z.object({
  services: z.record(z.string(), service),
  configs: z.record(z.string(), z.object({ content: z.string() })),
});

const files = ["docker-compose.yml", "docker-compose.sandbox.yml"] as const;
const [main, sandbox] = files.map((file) => parse(read(file), { merge: true }));
const composeText = files.map(read).join("\n");
const withStripe = composeFile.parse(main);
const withStandIn = composeFile.parse(laidOver(main, sandbox));

/** As Docker Compose does with a second file: maps are joined, lists continued, all else is replaced. */
function laidOver(base: unknown, over: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(over)) return [...base, ...over];
  if (!isMap(base) || !isMap(over)) return over;
  const joined = { ...base };
  for (const [name, value] of Object.entries(over)) {
    joined[name] = name in base ? laidOver(base[name], value) : value;
  }
  return joined;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `${NAME:-default}` and `${NAME:?message}`, as Docker Compose understands them. */
const interpolation = /(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}/g;

type Values = Readonly<Record<string, string>>;

function environmentOf({ environment }: Pick<Service, "environment">, given: Values = {}): Values {
  const filled = Object.entries(environment).map(([variable, value]) => [
    variable,
    value.replaceAll(interpolation, (_, known: string, kind: string, fallback: string) =>
      given[known] !== undefined ? given[known] : kind === "-" ? fallback : "secret",
    ),
  ]);
  return Object.fromEntries(filled);
}

const portVariables = {
  api: "API_PORT",
  worker: "WORKER_METRICS_PORT",
  "codec-server": "CODEC_SERVER_PORT",
  "stripe-sandbox": "STRIPE_SANDBOX_PORT",
};

describe.each([
  { files: "docker-compose.yml", compose: withStripe },
  { files: "docker-compose.sandbox.yml laid over it", compose: withStandIn },
])("$files", ({ compose }) => {
  const services = Object.entries(compose.services);

  test.each(services)("%s runs a pinned image", (_name, { image, build }) => {
    expect(image).toMatch(/^[a-z][\w./-]*:\d+\.\d+(\.\d+)?$/);
    if (build === undefined) expect(image).not.toMatch(/^reckoner:/);
  });

  test.each(services)(
    "%s: a server says whether it is healthy, a job ends and is waited for",
    (name, { restart, healthcheck }) => {
      const conditions = services.flatMap(([, { depends_on }]) => depends_on[name]?.condition ?? []);
      if (restart === "no") {
        expect(healthcheck).toBeUndefined();
        expect(new Set(conditions)).toEqual(new Set(["service_completed_successfully"]));
      } else {
        expect(healthcheck?.test.length).toBeGreaterThan(1);
        for (const condition of conditions) expect(condition).toBe("service_healthy");
      }
    },
  );

  test("what waits for one another can start, one after the other", () => {
    const started = new Set<string>();
    for (let before = -1; before < started.size; ) {
      before = started.size;
      for (const [name, { depends_on }] of services) {
        if (Object.keys(depends_on).every((needed) => started.has(needed))) started.add(name);
      }
    }
    expect([...started].toSorted()).toEqual(services.map(([name]) => name).toSorted());
  });

  test.each(
    Object.entries({
      api: parts.api,
      worker: parts.worker,
      "codec-server": parts.codecServer,
      migrate: parts.migration,
      "stripe-sandbox": parts.sandbox,
    }).filter(([name]) => name in compose.services),
  )("%s is told exactly the variables that it reads", (name, part) => {
    const told = Object.keys(compose.services[name]?.environment ?? {});
    expect(told.toSorted()).toEqual(Object.keys(part.shape).toSorted());
  });

  test("health checks ask the port that the service listens on", () => {
    for (const [name, variable] of Object.entries(portVariables)) {
      const each = compose.services[name];
      if (each === undefined) continue;
      const asked = /:(\d+)\//.exec(each.healthcheck?.test.join(" ") ?? "")?.[1];
      expect([name, asked]).toEqual([name, each.environment[variable]]);
    }
  });

  test("our services run entries that exist", () => {
    for (const [name, { build, command = [] }] of services) {
      if (build === undefined) continue;
      const [program, entry = ""] = command;
      expect([name, program, existsSync(join(projectFolder, entry))]).toEqual([name, "node", true]);
    }
  });
});

/** The service of this name, told what a user would have put into `.env`. */
function told(compose: z.infer<typeof composeFile>, name: string, given: Values = {}): Values {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`there is no ${name}`);
  return environmentOf(found, given);
}

describe("beside Stripe", () => {
  test("what the services are told is a good configuration", () => {
    const given = { STRIPE_API_KEY: "sk_test_1", STRIPE_WEBHOOK_SECRETS: "whsec_1" };
    const api = loadApiConfig(told(withStripe, "api", given));
    expect(api).toMatchObject({ host: "0.0.0.0", port: 8155, testClocks: "refused" });
    expect(api.stripe.apiBase).toBeUndefined();
    const worker = loadWorkerConfig(told(withStripe, "worker", given));
    expect(worker.database).toEqual(api.database);
    expect(worker.temporal).toEqual(api.temporal);
    expect(loadMigrationConfig(told(withStripe, "migrate")).appUrl).toBe(api.database.url);
  });
});

describe("beside the stand-in", () => {
  const given = { STRIPE_WEBHOOK_SECRETS: "whsec_made_up" };
  const api = loadApiConfig(told(withStandIn, "api", given));
  const worker = loadWorkerConfig(told(withStandIn, "worker", given));
  const standIn = loadSandboxConfig(told(withStandIn, "stripe-sandbox", given));

  test("API, worker and stand-in share one network, in which each has a port of its own", () => {
    const { worker: inside, "stripe-sandbox": insideToo } = withStandIn.services;
    for (const each of [inside, insideToo]) {
      expect(each).toMatchObject({ network_mode: "service:api", ports: [] });
      expect(Object.keys(each?.depends_on ?? {})).toContain("api");
    }
    expect(withStandIn.services.api?.network_mode).toBeUndefined();
    const ports = [api.port, worker.metricsPort, standIn.port];
    expect(new Set(ports).size).toBe(ports.length);
    expect(withStandIn.services.api?.ports).toEqual([
      `127.0.0.1:${api.port}:${api.port}`,
      `127.0.0.1:${standIn.port}:${standIn.port}`,
    ]);
  });

  test.each([
    ["API", api.stripe],
    ["worker", worker.stripe],
  ])("the %s reaches it by loopback, the only plain HTTP that a Stripe key may take", (_name, stripe) => {
    const apiBase = `http://127.0.0.1:${standIn.port}`;
    expect(stripe.apiBase).toEqual({ protocol: "http", host: "127.0.0.1", port: standIn.port });
    expect(() => createStripe({ apiKey: stripe.apiKey, apiBase })).not.toThrow();
  });

  test("it sends its webhooks to the API, for the API's account, signed with the API's secret", () => {
    const paths = Object.keys(JSON.parse(read("docs/openapi.json")).paths);
    const url = new URL(standIn.webhook?.url ?? "");
    expect(paths).toContain(url.pathname);
    expect(url.origin).toBe(`http://127.0.0.1:${api.port}`);
    expect(standIn.webhook?.apiKey).toBe(api.stripe.apiKey);
    expect(standIn.webhook?.secrets).toEqual(api.stripe.webhookSecrets);
    expect(worker.stripe.apiKey).toBe(api.stripe.apiKey);
  });
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
  const script = main.services["temporal-namespace"].command.join("\n");
  const given = [...script.matchAll(/--name (\w+) --type (\w+)/g)].map(([, name, type]) => [name, type]);
  expect(Object.fromEntries(given)).toEqual(searchAttributes);
  const used = Object.values(usedSearchAttributes).map(({ name, type }) => [name, type]);
  const known = Object.entries(searchAttributes).map(([name, type]) => [name, type.toUpperCase()]);
  expect(Object.fromEntries(used)).toEqual(Object.fromEntries(known));
});

test("files that are mounted are defined", () => {
  const sources = Object.values(withStripe.services).flatMap(({ configs }) =>
    configs.map(({ source }) => source),
  );
  expect(sources.toSorted()).toEqual(Object.keys(withStripe.configs).toSorted());
  expect(() => parse(withStripe.configs.temporal?.content ?? "")).not.toThrow();
});

test("the stand-in is there when its profile is asked for, and not otherwise", () => {
  const profilesOf = ({ services }: typeof main) =>
    Object.fromEntries(
      Object.entries<{ profiles?: string[] }>(services).map(([name, { profiles }]) => [name, profiles]),
    );
  const { "stripe-sandbox": standIn, ...others } = profilesOf(main);
  expect(standIn).toEqual(["sandbox"]);
  expect(Object.values(others).filter((profiles) => profiles !== undefined)).toEqual([]);
});
