import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const acme = { name: "Acme", email: "billing@acme.test", currency: "usd" };

describe("for the platform", () => {
  test("liveness, readiness and metrics need no key", async () => {
    const none = { key: null };
    expect((await api.call("GET", "/healthz", undefined, none)).body).toEqual({ ok: true });
    const ready = await api.call("GET", "/readyz", undefined, none);
    expect(ready.body).toEqual({ ready: true, checks: [{ name: "database", ok: true }] });
    await api.call("GET", "/v1/customers/nobody");
    const metrics = await api.call("GET", "/metrics", undefined, none);
    expect(metrics.text).toContain(
      'reckoner_http_request_duration_seconds_count{method="GET",route="/v1/customers/:id",status="404"}',
    );
  });

  test("a part that fails or hangs makes the process not ready, and the rest still answers", async () => {
    const failing = await startApi({
      readinessChecks: [
        { name: "temporal", check: async () => Promise.reject(new Error("away")) },
        { name: "hanging", check: () => new Promise<void>(() => {}) },
      ],
    });
    try {
      const answer = await failing.call("GET", "/readyz");
      expect(answer.status).toBe(503);
      expect(answer.body.checks).toEqual([
        { name: "database", ok: true },
        { name: "temporal", ok: false },
        { name: "hanging", ok: false },
      ]);
    } finally {
      await failing.stop();
    }
  });

  test("without its database a request is told to come back, not that it was wrong", async () => {
    const db = openDatabase({ url: "postgres://nobody:nothing@127.0.0.1:1/none", poolSize: 1 });
    const cutOff = await startApi({ db });
    try {
      const answer = await cutOff.call("GET", "/v1/customers");
      expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
      expect(answer.headers.get("retry-after")).toBe("1");
      expect((await cutOff.call("GET", "/readyz")).status).toBe(503);
    } finally {
      await cutOff.stop();
      await db.close();
    }
  });

  test("the log has a line for each request, with neither bodies nor keys nor query values", async () => {
    await api.call("POST", "/v1/customers", { ...acme, id: "logged", name: "Secret Name Ltd" });
    await api.call("GET", "/v1/customers?search=Secret+Name");
    expect(api.log()).toContain('"route":"/v1/customers","status":201');
    expect(api.log()).not.toContain("Secret");
    expect(api.log()).not.toContain(api.adminKey);
  });
});
