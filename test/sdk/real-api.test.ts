import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTrace } from "../../src/sandbox/demo/trace.ts";
import { whileRepeating } from "../support/while-repeating.ts";
import { startHost } from "./support/host-process.ts";
import { counted, createCustomer, meters, type RealApi, startRealApi } from "./support/real-api.ts";
import { event, newFolder, reportMany, startReporting } from "./support/reporting.ts";

/** From report() to the API's own count, over a real network to a real API on a real database: once each, whatever is killed. */

let api: RealApi;
beforeAll(async () => {
  api = await startRealApi();
  await api.client.put("/v1/catalog", { body: { meters, plans: [] } });
  await createCustomer(api.client, "acme");
});
afterAll(() => api?.stop());

/** 0 + 1 + … + (count − 1) */
const sumBelow = (count: number) => (BigInt(count) * BigInt(count - 1)) / 2n;
const options = () => ({ apiUrl: api.url, apiKey: api.apiKey, backoffFirstMs: 10, backoffMaxMs: 100 });

describe("killed", () => {
  test("the API, three times while usage is reported: each event is counted once", {
    timeout: 180_000,
  }, async () => {
    await createCustomer(api.client, "api-killed");
    const of = (n: number) => event(n, { source: "api-killed", customer: "api-killed" });
    const { reporter } = startReporting({ ...options(), spoolFolder: newFolder(), batchEventsMax: 100 });
    let reported = 0;
    const report = async () => {
      for (let more = 0; more < 25; more++) reporter.report(of(reported++));
      await delay(5);
    };
    await whileRepeating([report], async () => {
      for (let kill = 0; kill < 3; kill++) {
        const { accepted } = reporter.stats();
        await expect
          .poll(() => reporter.stats().accepted, { timeout: 20_000, interval: 5 })
          .toBeGreaterThan(accepted + 300);
        await delay(Math.random() * 20);
        await api.kill();
        await api.start();
      }
    });
    expect(await reporter.flush()).toBe(true);
    const { taken, dropped, spooled, accepted, duplicates } = reporter.stats();
    expect([taken, dropped, accepted + duplicates]).toEqual([reported, 0, reported]);
    expect(spooled).toBeGreaterThan(0);
    const usage = await counted(api.client, "api-killed", "tokens");
    expect(usage).toEqual({ quantity: sumBelow(reported), events: reported });
  });

  test("the service, five times, and the API twice between: what was on disk is counted once", {
    timeout: 180_000,
  }, async () => {
    const [lives, spoolFolder] = [5, newFolder()];
    let from = 0;
    // Each life takes up the service's work where the one before had it on disk: what it had reported beyond is reported again.
    for (let life = 0; life < lives; life++) {
      const host = startHost({
        options: { ...options(), source: "host-killed", spoolFolder, durability: "spool_first" },
        from,
        to: from + 1_000_000,
        atOnce: 20,
        pauseMs: 1,
        ending: "close",
      });
      await expect
        .poll(() => host.onDisk.size, { timeout: 20_000, interval: 1 })
        .toBeGreaterThan(100 + life * 50);
      if (life % 2 === 1) await api.kill();
      await delay(Math.random() * 30);
      host.kill();
      await host.ended;
      if (life % 2 === 1) await api.start();
      while (host.onDisk.has(from)) from++;
    }
    const { reporter } = startReporting({ ...options(), source: "host-killed", spoolFolder });
    reportMany(reporter, from, from + 100);
    expect(await reporter.flush()).toBe(true);
    const usage = await counted(api.client, "acme", "tokens");
    // Of those beyond the last one that was on disk some may have been, without the service having heard of it.
    expect(usage.events).toBeGreaterThanOrEqual(from + 100);
    const { data } = await api.client.get("/v1/events", {
      params: { query: { customer: "acme", source: "host-killed", id: `e/${from + 99}` } },
    });
    expect(data).toHaveLength(1);
    expect(usage).toEqual({ quantity: sumBelow(usage.events), events: usage.events });
  });
});

describe("the real trace", () => {
  test("its tokens are all counted, and once: 18,059,974 in and 245,896 out", {
    timeout: 180_000,
  }, async () => {
    await createCustomer(api.client, "trace");
    const trace = readTrace();
    const { reporter } = startReporting({ ...options(), source: "trace", spoolFolder: newFolder() });
    const first = trace[0]?.ticks ?? 0n;
    for (const { index, ticks, inputTokens, outputTokens } of trace) {
      reporter.report({
        id: `request/${index}`,
        customer: "trace",
        type: "completion",
        // As far apart as they were, from the end of February 2026 on.
        time: new Date(Date.UTC(2026, 1, 28) + Number((ticks - first) / 10_000n)),
        data: { model: "code", input_tokens: inputTokens, output_tokens: outputTokens },
      });
      // The API is killed in the middle, and a service gives others their turn now and then.
      if (index === 4_000) await api.kill();
      if (index === 6_000) await api.start();
      if (index % 100 === 0) await delay(1);
    }
    expect(await reporter.flush({ deadlineMs: 100_000 })).toBe(true);
    expect(reporter.stats()).toMatchObject({
      taken: 8_819,
      dropped: 0,
      invalid: 0,
      conflicts: 0,
      quarantined: 0,
    });
    expect(await counted(api.client, "trace", "input_tokens")).toEqual({
      quantity: 18_059_974n,
      events: 8_819,
    });
    expect(await counted(api.client, "trace", "output_tokens")).toEqual({
      quantity: 245_896n,
      events: 8_819,
    });
  });
});

test("a wrong key, and then the right one: nothing is lost", async () => {
  await createCustomer(api.client, "key");
  let apiKey = "rk_wrong";
  const { reporter, codes } = startReporting({
    ...options(),
    apiKey: () => apiKey,
    spoolFolder: newFolder(),
  });
  for (let n = 0; n < 100; n++) reporter.report(event(n, { source: "key", customer: "key" }));
  await expect.poll(codes).toEqual(["api_key_refused"]);
  apiKey = api.apiKey;
  expect(await reporter.flush()).toBe(true);
  expect(await counted(api.client, "key", "tokens")).toEqual({ quantity: sumBelow(100), events: 100 });
});

test("what the API says of each event is heard", async () => {
  await createCustomer(api.client, "said");
  const { reporter, problems } = startReporting({ ...options(), source: "said" });
  const over = { customer: "said" };
  reporter.report(event(1, over));
  await reporter.flush();
  reporter.report(event(1, over));
  reporter.report(event(1, { ...over, data: { tokens: 5 } }));
  reporter.report(event(2, { ...over, time: "2026-05-01T00:00:00Z" }));
  reporter.report(event(3, { customer: "nobody" }));
  expect(await reporter.flush()).toBe(true);
  expect(reporter.stats()).toMatchObject({
    accepted: 1,
    duplicates: 1,
    conflicts: 1,
    invalid: 1,
    quarantined: 1,
  });
  expect(problems.map(({ code, reason, field, event: about }) => [code, reason, field, about?.id])).toEqual([
    ["event_conflict", "usage_event_conflict", undefined, "e/1"],
    ["event_invalid", "usage_event_in_future", "time", "e/2"],
    ["event_quarantined", "unknown_customer", undefined, "e/3"],
  ]);
});
