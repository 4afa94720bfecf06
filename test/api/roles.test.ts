import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  isScope,
  type Permission,
  permissionOf,
  resources,
  roles,
  rolesAllow,
  scopeOf,
  verbs,
  verbsOf,
} from "../../src/api/access/permissions.ts";
import { type DocumentedRoute, everyRoute, filled } from "./support/every-route.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";
import { signIn } from "./support/sessions.ts";

let api: RunningApi;
let routes: DocumentedRoute[];
beforeAll(async () => {
  api = await startApi();
  routes = (await everyRoute(api)).filter(({ permission }) => permission !== undefined);
});
afterAll(() => api.stop());

/** Without an idempotency key and a body that makes sense, nothing is changed: what is asked is whether one may. */
const knock = ({ method, path }: DocumentedRoute) =>
  [method, filled(path, () => "nobody-1"), ["GET", "DELETE"].includes(method) ? undefined : {}] as const;

const cellOf = ({ permission = "" }: DocumentedRoute): Permission => {
  const [resource, verb] = permission.split(":");
  const cell = resources.flatMap((one) => verbs.map((other) => ({ resource: one, verb: other })));
  const found = cell.find((one) => one.resource === resource && one.verb === verb);
  if (found === undefined) throw new Error(`${permission} is a cell of the matrix`);
  return found;
};

describe("the matrix of roles, over HTTP", () => {
  test.each(roles)("%s may do what the matrix says, at every route, and nothing else", async (role) => {
    const person = await signIn(api, role);
    const wrong: string[] = [];
    for (const route of routes) {
      const [method, path, body] = knock(route);
      const answer = await person.call(method, path, body, { "idempotency-key": "" });
      const isRefused = answer.status === 403 && answer.body?.code === "role_missing";
      const expected = rolesAllow([role], cellOf(route));
      if (isRefused === expected || answer.status === 401) {
        wrong.push(`${method} ${route.path} (${route.permission}): ${answer.status}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(routes.length).toBeGreaterThan(150);
  });

  test("a key with one cell is let in where a route asks for it; one with all others is not", async () => {
    const cells = resources.flatMap((resource) => verbs.map((verb) => `${resource}:${verb}`));
    const wrong: string[] = [];
    for (const [cell, ofCell] of Map.groupBy(routes, ({ permission = "" }) => permission)) {
      const only = await api.newKey([cell]);
      const others = await api.newKey(cells.filter((other) => other !== cell));
      for (const route of ofCell) {
        const [method, path, body] = knock(route);
        const ask = (key: string) => api.call(method, path, body, { key, idempotencyKey: null });
        const [let_in, refused] = [await ask(only), await ask(others)];
        if (let_in.body?.code === "scope_missing" || let_in.status === 401)
          wrong.push(`${cell} opens ${method} ${path}`);
        if (refused.body?.code !== "scope_missing") wrong.push(`without ${cell}, ${method} ${path} is shut`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("a route that the matrix does not know cannot be added", () => {
    expect(() => permissionOf("GET /v1/secrets", "/v1/secrets", "read")).toThrow(/has a resource in/);
    expect(() => permissionOf("GET /v1/customers", "/v1/customers", undefined)).toThrow(/says which scope/);
    expect(() => permissionOf("GET /v1/customers", "/v1/customers", "look")).toThrow(/ends with a verb/);
    expect(permissionOf("POST /v1/events", "/v1/events", "usage:write")).toEqual({
      resource: "usage",
      verb: "write",
    });
  });

  test.each([
    ["read", true],
    ["invoices:read", true],
    ["usage:write", true],
    ["root", false],
    ["invoices:look", false],
    ["secrets:read", false],
    ["invoices:read:all", false],
    ["", false],
  ])("%s is a scope: %s", (text, expected) => {
    expect(isScope(text)).toBe(expected);
  });

  test("nobody has the last word about what others ask for by being an admin", () => {
    expect(resources.filter((resource) => verbsOf("admin", resource).includes("approve"))).toEqual([]);
  });

  test("docs/access.md shows this very matrix", () => {
    const text = readFileSync(new URL("../../docs/access.md", import.meta.url), "utf8");
    const cell = (resource: Permission["resource"]) => (role: (typeof roles)[number]) =>
      verbsOf(role, resource).join(", ") || "–";
    const lines = resources.map((resource) => `| ${[resource, ...roles.map(cell(resource))].join(" | ")} |`);
    expect(text).toContain(lines.join("\n"));
  });

  test("every cell that a route asks for is written as a scope of keys", () => {
    expect(routes.filter((route) => !isScope(scopeOf(cellOf(route))))).toEqual([]);
  });
});
