import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openApiText } from "../../src/api/openapi.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

const project = join(import.meta.dirname, "../..");
const run = promisify(execFile);

/** The generator that the SDK uses, and the checker of OpenAPI documents that the generator uses. */
const generator = createRequire(join(project, "src/sdk/package.json")).resolve("openapi-typescript");
const { createConfig, lintFromString } = createRequire(generator)("@redocly/openapi-core");

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly { name: string; in: string; required?: boolean }[];
  readonly requestBody?: { content: Record<string, { schema: object }> };
  readonly responses: Record<
    string,
    { description: string; content?: Record<string, { schema: { $ref?: string } }> }
  >;
}

let document: {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: object };
};
let text: string;
let folder: string;
beforeAll(async () => {
  text = await openApiText();
  document = JSON.parse(text);
  folder = await mkdtemp(join(tmpdir(), "openapi-"));
});
afterAll(() => rm(folder, { recursive: true }));

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      method,
      operation,
    })),
  );
const billing = () => operations().filter(({ path }) => path.startsWith("/v1/"));

async function faultsOf(openapi: string): Promise<string[]> {
  const rules = { struct: "error", "no-unresolved-refs": "error", "path-parameters-defined": "error" };
  const faults: { message: string }[] = await lintFromString({
    source: openapi,
    config: await createConfig({ rules }),
  });
  return faults.map(({ message }) => message);
}

async function typesOf(openapi: string): Promise<string> {
  const [input, output] = [join(folder, "openapi.json"), join(folder, "schema.ts")];
  await writeFile(input, openapi);
  const command = join(dirname(generator), "../bin/cli.js");
  await run(process.execPath, [command, input, "--output", output], { cwd: join(project, "src/sdk") });
  return readFile(output, "utf8");
}

describe("the OpenAPI document", () => {
  test("is committed as the code describes itself: run `node src/api/write-openapi.ts` after a change", async () => {
    expect(await readFile(join(project, "docs/openapi.json"), "utf8")).toBe(text);
  });

  test("is what the SDK's types are generated from: run `npm run generate -w src/sdk` after a change", async () => {
    expect(await typesOf(text)).toBe(await readFile(join(project, "src/sdk/schema.ts"), "utf8"));
  });

  test("is valid OpenAPI 3.1", async () => {
    expect(document.openapi).toBe("3.1.0");
    expect(await faultsOf(text)).toEqual([]);
    // The checker does find what is wrong.
    expect(await faultsOf(text.replace('"in": "path"', '"in": "nowhere"'))).not.toEqual([]);
    expect(
      await faultsOf(text.replace("#/components/schemas/Problem", "#/components/schemas/Nothing")),
    ).not.toEqual([]);
  });

  test("names every schema once: none is left that no route uses, and no reference leads nowhere", () => {
    const used = new Set([...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name));
    expect([...used].toSorted()).toEqual(Object.keys(document.components.schemas).toSorted());
  });
});

describe("every route under /v1", () => {
  test("says what it is for, under a heading", () => {
    const silent = billing().filter(({ operation: { summary, tags } }) => !summary || tags?.length !== 1);
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  test("documents its errors in the one shape, with their codes", () => {
    for (const { name, operation } of billing()) {
      const errors = Object.entries(operation.responses).filter(([status]) => status >= "400");
      expect(
        errors.map(([status]) => status),
        name,
      ).toEqual(expect.arrayContaining(["400", "500", "503"]));
      for (const [status, { description, content }] of errors) {
        expect(description, `${name} ${status}`).toMatch(/^`[a-z_]+`(, `[a-z_]+`)*$/);
        expect(content?.["application/problem+json"]?.schema.$ref, `${name} ${status}`).toBe(
          "#/components/schemas/Problem",
        );
      }
    }
  });

  test("needs a key and says what is refused without one, except Stripe's webhooks", () => {
    for (const { name, path, operation } of billing()) {
      const isPublic = path.startsWith("/v1/webhooks/");
      expect(operation.security, name).toEqual(isPublic ? undefined : [{ apiKey: [] }, { session: [] }]);
      expect(operation.responses["401"]?.description.includes("api_key_invalid") ?? false, name).toBe(
        !isPublic,
      );
      expect(operation.responses["403"]?.description.includes("scope_missing") ?? false, name).toBe(
        !isPublic && path !== "/v1/session",
      );
    }
  });

  test("that creates by POST asks for an Idempotency-Key, except for what is told apart by itself", () => {
    const questions = ["/v1/catalog/plan", "/v1/operations/plan", "/v1/entitlements/check"];
    const storesNothing = (path: string) => path.startsWith("/v1/calculate/") || questions.includes(path);
    const unkeyed = billing()
      .filter(({ method, path }) => method === "post" && !storesNothing(path))
      .filter(
        ({ operation }) =>
          !operation.parameters?.some(({ name, required }) => name === "Idempotency-Key" && required),
      )
      .map(({ name }) => name);
    expect(unkeyed.toSorted()).toEqual([
      "POST /v1/customers/{id}/edge-cut-offs",
      "POST /v1/events",
      "POST /v1/operations/{id}/continue",
      "POST /v1/reservations",
      "POST /v1/reservations/{id}/extend",
      "POST /v1/reservations/{id}/release",
      "POST /v1/reservations/{id}/settle",
      "POST /v1/stripe-events/{id}/replay",
      "POST /v1/usage/heartbeats",
      "POST /v1/webhooks/stripe",
    ]);
  });

  test("that takes an id says that it may not be found", () => {
    for (const { name, operation } of billing()) {
      if (operation.parameters?.some((parameter) => parameter.in === "path" && parameter.name === "id")) {
        expect(operation.responses["404"]?.description, name).toMatch(/_not_found`/);
      }
    }
  });

  test("refuses unknown fields in bodies and query parameters", () => {
    const open: string[] = [];
    const look = (schema: object, name: string): void => {
      const reference = "$ref" in schema ? String(schema.$ref).split("/").at(-1) : undefined;
      const { components } = document as unknown as { components: { schemas: Record<string, object> } };
      const target = reference === undefined ? schema : components.schemas[reference];
      if (target && "properties" in target && !("additionalProperties" in target)) open.push(name);
    };
    for (const { name, operation } of billing()) {
      for (const { schema } of Object.values(operation.requestBody?.content ?? {})) look(schema, name);
    }
    expect(open).toEqual([]);
  });
});

describe("the reference at /docs", () => {
  let api: RunningApi;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.stop());

  test("is served whole by this server, for machines without a way out", async () => {
    const page = await api.call("GET", "/docs/", undefined, { key: null });
    expect(page.status).toBe(200);
    expect(page.text).not.toMatch(/(src|href)="?https?:/);
    const script = await api.call("GET", "/docs/js/scalar.js", undefined, { key: null });
    expect([script.status, script.text.length > 1_000_000]).toEqual([200, true]);
    const reference = await api.call("GET", "/docs/openapi.json", undefined, { key: null });
    expect(reference.body.info.title).toBe("Reckoner");
  });

  test("and the document at /openapi.json is the committed one", async () => {
    const served = await api.call("GET", "/openapi.json", undefined, { key: null });
    expect(served.body).toEqual(document);
  });
});
