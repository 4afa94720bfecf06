import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { consoleAssets } from "../../src/api/console-assets.ts";

const folder = mkdtempSync(join(tmpdir(), "reckoner-console-"));
const server = Fastify({ routerOptions: { ignoreTrailingSlash: true } });
const unbuilt = Fastify({ routerOptions: { ignoreTrailingSlash: true } });

beforeAll(async () => {
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<title>the page</title>");
  writeFileSync(join(folder, "assets/main-1a2b.js"), "export {};");
  server.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: "route_not_found" }));
  await consoleAssets(server as never, folder);
  await consoleAssets(unbuilt as never, join(folder, "nothing"));
});
afterAll(async () => {
  await Promise.all([server.close(), unbuilt.close()]);
  rmSync(folder, { recursive: true });
});

test.each([
  "/console",
  "/console/",
  "/console/customers",
  "/console/customers/acme.com/invoices/in_1.2",
  "/console/customers?search=a",
])("%s is the page, which is asked for anew each time", async (url) => {
  const { statusCode, body, headers } = await server.inject({ url });
  expect([statusCode, body, headers["cache-control"]]).toEqual([200, "<title>the page</title>", "no-cache"]);
  expect(headers["content-security-policy"]).toContain("default-src 'self'");
});

test("a file with its hash in its name is kept for good", async () => {
  const { statusCode, headers } = await server.inject({ url: "/console/assets/main-1a2b.js" });
  expect([statusCode, headers["cache-control"]]).toEqual([200, "public, max-age=31536000, immutable"]);
  expect(headers["content-type"]).toContain("/javascript");
});

test.each([
  ["GET", "/console/assets/main-old.js"],
  ["GET", "/console/assets/%2e%2e/%2e%2e/etc/passwd.txt"],
  ["POST", "/console/customers"],
] as const)("%s %s is not the page", async (method, url) => {
  const { statusCode, body } = await server.inject({ method, url });
  expect([statusCode, body.includes("the page")]).toEqual([404, false]);
});

test("other addresses keep their own answer", async () => {
  expect((await server.inject({ url: "/v1/nothing" })).json()).toEqual({ code: "route_not_found" });
});

test("without a build it says what to do", async () => {
  const { statusCode, body } = await unbuilt.inject({ url: "/console/customers" });
  expect([statusCode, body]).toEqual([503, "The console is not built: run `npm run console:build`.\n"]);
});
