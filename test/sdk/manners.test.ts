import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createUsageReporter, type UsageReporterOptions } from "../../src/sdk/usage/node.ts";
import { type FakeApi, problem, startFakeApi } from "./support/fake-api.ts";
import { event, newFolder, reportMany, startReporting } from "./support/reporting.ts";

/** How the reporter behaves in the service it is in. */

let api: FakeApi;
const rejections: unknown[] = [];
const onRejection = (reason: unknown) => void rejections.push(reason);
beforeEach(async () => {
  api = await startFakeApi();
  process.on("unhandledRejection", onRejection);
});
afterEach(async () => {
  await api.stop();
  process.off("unhandledRejection", onRejection);
  expect(rejections).toEqual([]);
});

describe("what it is made with", () => {
  test.each([
    { option: "apiUrl", given: { apiUrl: "reckoner.example" } },
    { option: "apiUrl", given: { apiUrl: "ftp://reckoner.example" } },
    { option: "apiKey", given: { apiKey: "" } },
    { option: "onProblem", given: { onProblem: undefined } },
    { option: "source", given: { source: "" } },
    { option: "batchEventsMax", given: { batchEventsMax: 10_001 } },
    { option: "batchAgeMs", given: { batchAgeMs: 1.5 } },
    { option: "memoryBytesMax", given: { memoryBytesMax: Number.NaN } },
    { option: "requestsInFlightMax", given: { requestsInFlightMax: 0 } },
    { option: "spoolFolder", given: { durability: "spool_first" } },
    { option: "spoolFolder", given: { spoolFolder: "" } },
    { option: "durability", given: { durability: "always" } },
    { option: "spoolBytesMax", given: { spoolFolder: "x", spoolBytesMax: -1 } },
  ])("a mistake in $option is thrown at once: $given", ({ option, given }) => {
    const options = { apiUrl: "http://127.0.0.1", apiKey: "k", onProblem: () => {}, ...given };
    expect(() => createUsageReporter(options as unknown as UsageReporterOptions)).toThrow(
      expect.objectContaining({ name: "UsageReporterOptionsError", option }),
    );
  });

  test.each([{ apiUrl: (url: string) => `${url}/` }, { apiUrl: (url: string) => `${url}/behind/a/proxy/` }])(
    "the address may have a path",
    async ({ apiUrl }) => {
      const { reporter } = startReporting({ apiUrl: apiUrl(api.url) });
      reporter.report(event(1));
      expect(await reporter.flush()).toBe(true);
    },
  );
});

describe("listeners", () => {
  const listeners = [
    {
      why: "throw",
      listen: () => {
        throw new Error("a fault of the host");
      },
    },
    { why: "reject", listen: async () => Promise.reject(new Error("a fault of the host")) },
  ];
  test.each(listeners)("that $why disturb nothing", async ({ listen }) => {
    let failures = 3;
    api.behave = () => (failures-- > 0 ? problem(500, "internal_error") : undefined);
    const { reporter } = startReporting({
      apiUrl: api.url,
      spoolFolder: newFolder(),
      onProblem: listen,
      onRecovery: listen,
      onAnswer: listen,
    });
    reportMany(reporter, 0, 10);
    reporter.report({ customer: "", type: "" });
    expect(await reporter.flush()).toBe(true);
    expect(reporter.stats()).toMatchObject({ taken: 10, refused: 1, accepted: 10 });
  });

  test("may report themselves, also that an event was dropped", async () => {
    await api.stop();
    let told = 0;
    const { reporter } = startReporting({
      apiUrl: api.url,
      memoryBytesMax: 16 * 1_024,
      onProblem: () => {
        told++;
        reporter.report(event(told));
      },
    });
    reportMany(reporter, 0, 200);
    await expect.poll(() => told).toBeGreaterThanOrEqual(2);
    expect(told).toBeLessThan(10);
  });
});

test("what was refused is told too, with the field: most will not look at the result", () => {
  const { reporter, problems } = startReporting({ apiUrl: api.url });
  const result = reporter.report(event(1, { data: { tokens: Number.NaN } }));
  expect(result).toMatchObject({ status: "refused", code: "event_invalid", field: "data.tokens" });
  expect(problems).toEqual([
    {
      code: "event_refused",
      reason: "event_invalid",
      field: "data.tokens",
      count: 1,
      detail: expect.any(String),
    },
  ]);
  expect(reporter.stats()).toMatchObject({ taken: 0, refused: 1 });
});

test("batches are cut by events and by length, and a lone event does not wait for others longer than it must", async () => {
  const { reporter } = startReporting({
    apiUrl: api.url,
    batchEventsMax: 40,
    batchBytesMax: 4_096,
    gzip: false,
  });
  reportMany(reporter, 0, 100);
  await reporter.flush();
  reporter.report(event(100));
  await expect.poll(() => api.kept.size).toBe(101);
  const sizes = api.requests.map(({ events, bytes }) => ({ count: events?.length ?? 0, bytes }));
  expect(sizes.every(({ count, bytes }) => count <= 40 && bytes <= 4_096 + 2)).toBe(true);
  expect(sizes.at(-1)?.count).toBe(1);
});

test("no more requests are under way than allowed", async () => {
  let [underWay, most] = [0, 0];
  api.behave = async () => {
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, 3));
    underWay--;
    return undefined;
  };
  const { reporter } = startReporting({ apiUrl: api.url, batchEventsMax: 5, requestsInFlightMax: 3 });
  reportMany(reporter, 0, 300);
  expect(await reporter.flush()).toBe(true);
  expect(most).toBe(3);
});
