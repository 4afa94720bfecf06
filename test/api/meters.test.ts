import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
  const answer = await publish(meters);
  expect(answer.status).toBe(200);
  await api.call("POST", "/v1/customers", {
    id: "ada",
    name: "Ada",
    email: "a@example.com",
    currency: "usd",
  });
});
afterAll(() => api.stop());

const publish = (ofMeters: unknown[]) => api.call("PUT", "/v1/catalog", { meters: ofMeters, plans: [] });

const computeTime = {
  key: "compute_time",
  event_type: "build.finished",
  aggregation: "sum",
  value: "ceil(duration_ms / 1000) * coalesce(machine.cores, 1)",
  filter: [
    { member: "plan", not_in: ["internal"] },
    { member: "duration_ms", gt: "0" },
  ],
  dimensions: ["team"],
  unit: { name: "core hours", factor: "1/3600", decimals: 2, rounding: "up" },
};
const longest = {
  key: "longest",
  event_type: "build.finished",
  aggregation: "max",
  property: "duration_ms",
  filter: [{ member: "plan", not_in: ["internal"] }],
  dimensions: [],
};
const meters = [computeTime, longest];

const build = (id: string, data: object) => ({
  id,
  source: "ci",
  customer: "ada",
  type: "build.finished",
  time: "2026-02-10T10:00:00Z",
  data,
});

describe("a meter with a filter, an expression and a unit", () => {
  test("is answered as it was published, and published again it is the same", async () => {
    expect((await api.call("GET", "/v1/catalog")).body.meters).toEqual(meters);
    const rewritten = structuredClone(computeTime);
    rewritten.unit.factor = "2/7200";
    expect((await publish([rewritten])).status).toBe(200);
  });

  test("measures each event, and what it filters out counts nowhere", async () => {
    const events = [
      build("1", { duration_ms: 1_200_500, team: "red", machine: { cores: 4 } }), // 1201 s × 4
      build("2", { duration_ms: 2000, team: "blue" }), // 2 s × 1
      build("3", { duration_ms: "1000", team: "blue", plan: "internal" }), // of no meter
      build("4", { duration_ms: 0, team: "red" }), // longest only
      build("5", { duration_ms: 5000, team: "red", machine: { cores: "many" } }),
      build("6", { team: "red" }),
    ];
    const { body } = await api.call("POST", "/v1/events", events);
    const outcomes = body.results.map(
      ({ status, code, field }: { status: string; code?: string; field?: string }) => [status, code, field],
    );
    expect(outcomes).toEqual([
      ["accepted", undefined, undefined],
      ["accepted", undefined, undefined],
      ["accepted", undefined, undefined],
      ["accepted", undefined, undefined],
      ["invalid", "usage_quantity_invalid", "data.machine.cores"],
      ["invalid", "usage_property_missing", "data.duration_ms"],
    ]);
    expect((await api.call("POST", "/v1/events", events.slice(0, 4))).body.duplicates).toBe(4);
    const listed = (await api.call("GET", "/v1/events?customer=ada")).body.data;
    const contributions = Object.fromEntries(
      listed.map((event: { id: string; contributions: unknown }) => [event.id, event.contributions]),
    );
    const red = { team: "red" };
    expect(contributions).toEqual({
      1: [
        { meter: "compute_time", meter_version: 1, dimensions: red, quantity: "4804" },
        { meter: "longest", meter_version: 1, dimensions: {}, quantity: "1200500" },
      ],
      2: [
        { meter: "compute_time", meter_version: 1, dimensions: { team: "blue" }, quantity: "2" },
        { meter: "longest", meter_version: 1, dimensions: {}, quantity: "2000" },
      ],
      3: [],
      4: [{ meter: "longest", meter_version: 1, dimensions: {}, quantity: "0" }],
    });
  });

  test.each([
    { groupBy: "&group_by=", quantities: ["1.34"], why: "4806 s are 1.335 h" },
    {
      groupBy: "",
      quantities: ["0.01", "1.34"],
      why: "2 s, and 4804 s: 1.33444… h, each rounded for itself",
    },
  ])("reads $quantities: $why", async ({ groupBy, quantities }) => {
    const february = "from=2026-02-01T00:00:00Z&to=2026-03-01T00:00:00Z";
    const { body } = await api.call("GET", `/v1/usage?customer=ada&meter=compute_time&${february}${groupBy}`);
    expect(body.unit).toBe("core hours");
    expect(body.data.map(({ quantity }: { quantity: string }) => quantity)).toEqual(quantities);
  });

  test("takes in what waited for it, and what it filters out waits no longer", async () => {
    const calls = ["eu", "us"].map((region) => ({ ...build(region, { region }), type: "call.made" }));
    const { body } = await api.call("POST", "/v1/events", calls);
    expect(body.quarantined).toBe(2);
    const inEurope = { key: "calls", event_type: "call.made", aggregation: "count" };
    await publish([{ ...inEurope, filter: [{ member: "region", in: ["eu"] }] }]);
    const listed = (await api.call("GET", "/v1/events?customer=ada")).body.data;
    const released = listed.filter(({ type }: { type: string }) => type === "call.made");
    expect(
      released
        .map((event: { id: string; contributions: unknown[] }) => [event.id, event.contributions.length])
        .toSorted(),
    ).toEqual([
      ["eu", 1],
      ["us", 0],
    ]);
  });
});

describe("what is refused when it is published", () => {
  const sum = { key: "new", event_type: "build.finished", aggregation: "sum" };
  test.each([
    {
      meter: { ...sum, value: "a + * b" },
      refusal: ["catalog_invalid", "meters[0].value"],
      detail: "at character 5",
    },
    {
      meter: { ...sum, property: "a", filter: [{ member: "b", not_in: [] }] },
      refusal: ["catalog_invalid", "meters[0].filter[0].not_in"],
      detail: "at least one value",
    },
    {
      meter: { ...sum, property: "a", unit: { name: "h", colour: "red" } },
      refusal: ["request_invalid", "meters[0].unit.colour"],
      detail: "",
    },
  ])("$refusal", async ({ meter, refusal, detail }) => {
    const { body } = await publish([meter]);
    expect([body.code, body.field]).toEqual(refusal);
    expect(body.detail).toContain(detail);
    expect((await api.call("GET", "/v1/catalog")).body.meters).toHaveLength(3);
  });
});
