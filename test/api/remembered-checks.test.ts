import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { insertTestClock } from "../../src/db/billing/test-clocks.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { addCustomer } from "../db/usage-fixture.ts";
import { type EntitlementApi, startEntitlementApi } from "./support/entitlement-api.ts";

let api: EntitlementApi;
beforeAll(async () => {
  api = await startEntitlementApi();
});
afterAll(() => api.stop());

const ask = (customer: string, feature: object, max_age_ms = 1_000) =>
  api.call("POST", "/v1/entitlements/check", {
    customer,
    subject: { user: "u1" },
    features: [feature],
    max_age_ms,
  });

/** How many statements the database was asked for checks while something was done. */
async function readsDuring(work: () => Promise<unknown>): Promise<number> {
  const spied = vi.spyOn(api.db.snapshots, "execute");
  await work();
  const { length } = spied.mock.calls;
  spied.mockRestore();
  return length;
}

/** Remembered once the first look at what is committed is over. */
async function remembered(customer: string, feature: object) {
  await expect
    .poll(() => readsDuring(() => ask(customer, feature)), { timeout: 10_000, interval: 50 })
    .toBe(0);
}

test("an answer is given from memory until something is committed that changes it", async () => {
  await api.subscribe("known", "pro");
  await remembered("known", { feature: "requests" });
  expect((await ask("known", { feature: "requests" })).body.features[0].limits[0].used).toBe("0");
  await api.use("known", {});
  expect((await ask("known", { feature: "requests" }, 0)).body.features[0].limits[0].used).toBe("1");
  await expect
    .poll(async () => (await ask("known", { feature: "requests" })).body.features[0].limits[0].used, {
      timeout: 1_000,
    })
    .toBe("1");
  await remembered("known", { feature: "sso" });
  expect((await ask("known", { feature: "sso" })).body.allowed).toBe(false);
  const grant = await api.give("known", { feature: "sso" });
  await expect
    .poll(async () => (await ask("known", { feature: "sso" })).body.allowed, { timeout: 1_000 })
    .toBe(true);
  await api.call("POST", `/v1/feature-grants/${grant.body.id}/end`, {});
  await expect
    .poll(async () => (await ask("known", { feature: "sso" })).body.allowed, { timeout: 1_000 })
    .toBe(false);
});

test("what is remembered of one customer is not another's, and a bad question is refused as ever", async () => {
  await api.subscribe("other", "pro");
  await remembered("other", { feature: "support" });
  await api.use("other", {});
  expect((await ask("other", { feature: "support" })).body).toMatchObject({
    customer: "other",
    allowed: true,
  });
  const malformed = await api.call("POST", "/v1/entitlements/check", "{");
  expect([malformed.status, malformed.body.code]).toEqual([400, "json_malformed"]);
  expect((await ask("other", { feature: "support" }, 2_000)).status).toBe(400);
  const nobody = await api.call(
    "POST",
    "/v1/entitlements/check",
    { customer: "other", features: [] },
    { key: null },
  );
  expect(nobody.status).toBe(401);
});

test("on a test clock nothing is remembered: it may be moved at any moment", async () => {
  await insertTestClock(api.db.orm, "clock", instant("2026-03-01T00:00:00Z"));
  await addCustomer(api.db, "clocked", "clock");
  await remembered("known", { feature: "support" });
  for (const _ of [1, 2]) {
    expect(await readsDuring(() => ask("clocked", { feature: "sso" }))).toBeGreaterThan(0);
  }
});
