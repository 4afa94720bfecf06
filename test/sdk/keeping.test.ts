import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ReportResult } from "../../src/sdk/usage/node.ts";
import { type FakeApi, problem, startFakeApi } from "./support/fake-api.ts";
import { event, idsIn, idsOf, newFolder, reportMany, startReporting } from "./support/reporting.ts";
import { smallDisk } from "./support/small-disk.ts";

/** Where events are until they are answered: in memory, on disk, or nowhere, and then it is said. */

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => api.stop());

const isOnDisk = (result: ReportResult | undefined) =>
  result?.status === "taken" ? result.flushedToDisk : expect.unreachable(result?.status);

describe("memory", () => {
  test("it holds what fits; what does not is dropped, counted and told; what was taken arrives", async () => {
    await api.stop();
    const memoryBytesMax = 64 * 1_024;
    const { reporter, problems } = startReporting({ apiUrl: api.url, memoryBytesMax });
    const results = reportMany(reporter, 0, 1_000);
    const taken = results.filter(({ status }) => status === "taken").length;
    // An event here is some 140 characters, and 100 bytes beside them.
    expect(taken).toBeGreaterThan(memoryBytesMax / 400);
    expect(taken).toBeLessThan(memoryBytesMax / 200);
    expect(results.slice(0, taken).every(({ status }) => status === "taken")).toBe(true);
    expect(results.slice(taken).every(({ status }) => status === "dropped")).toBe(true);
    expect(reporter.stats()).toMatchObject({ taken, dropped: 1_000 - taken, queued: taken });
    expect(reporter.stats().queuedBytes).toBeLessThanOrEqual(memoryBytesMax);
    const told = () => problems.filter(({ code }) => code === "event_dropped").map(({ count }) => count);
    await expect.poll(told).toEqual([1_000 - taken]);
    await api.start();
    expect(await reporter.flush()).toBe(true);
    expect(idsIn(api.kept)).toEqual(idsOf(0, taken));
    expect(reporter.stats()).toMatchObject({ queued: 0, queuedBytes: 0, accepted: taken });
  });

  test("when it fills because the API is slow, events go to the disk, and none is dropped", async () => {
    api.behave = async () => void (await delay(50));
    const memoryBytesMax = 512 * 1_024;
    const options = { memoryBytesMax, spoolFolder: newFolder(), batchEventsMax: 100, requestsInFlightMax: 2 };
    const { reporter, codes } = startReporting({ apiUrl: api.url, ...options });
    for (let from = 0; from < 5_000; from += 100) {
      reportMany(reporter, from, from + 100);
      expect(reporter.stats().queuedBytes).toBeLessThanOrEqual(memoryBytesMax);
      // Below three quarters it is the disk that empties it, not the API.
      while (reporter.stats().queuedBytes > memoryBytesMax * 0.75) await delay(1);
    }
    expect(reporter.stats().spooled).toBeGreaterThan(0);
    expect(await reporter.flush()).toBe(true);
    expect(idsIn(api.kept)).toEqual(idsOf(0, 5_000));
    expect(reporter.stats()).toMatchObject({ taken: 5_000, accepted: 5_000, duplicates: 0, dropped: 0 });
    expect(codes()).toEqual([]);
  });
});

describe("disk", () => {
  test("what cannot be sent is on disk soon, and is sent from there, in order, once the API is back", async () => {
    const spoolFolder = newFolder();
    await api.stop();
    // Several requests at once may overtake each other.
    const options = { spoolFolder, batchEventsMax: 50, requestsInFlightMax: 1 };
    const { reporter } = startReporting({ apiUrl: api.url, ...options });
    reporter.report(event(0));
    await expect.poll(() => reporter.stats().spooled).toBe(1); // by now it knows that the API is away
    reportMany(reporter, 1, 500);
    await expect.poll(() => reporter.stats()).toMatchObject({ spooled: 500, queued: 0, queuedBytes: 0 });
    expect(reporter.stats().spool.segments).toBeGreaterThan(0);
    expect(reporter.stats().lagMs).toBeGreaterThan(0);
    await api.start();
    expect(await reporter.flush()).toBe(true);
    expect([...api.kept.values()].map(({ id }) => id)).toEqual(
      Array.from({ length: 500 }, (_, n) => `e/${n}`),
    );
    await expect.poll(() => reporter.stats().spool).toEqual({ segments: 0, bytes: 0 });
    expect(readdirSync(spoolFolder)).toEqual([]);
    expect(reporter.stats()).toMatchObject({ lagMs: 0, duplicates: 0 });
  });

  test("with spool_first every event is on disk before it is said to be, also while the API works", async () => {
    const { reporter } = startReporting({
      apiUrl: api.url,
      spoolFolder: newFolder(),
      durability: "spool_first",
    });
    const results = reportMany(reporter, 0, 3_000);
    expect(await Promise.all(results.map(isOnDisk))).toEqual(results.map(() => true));
    expect(reporter.stats().spooled).toBe(3_000);
    expect(await reporter.flush()).toBe(true);
    expect(idsIn(api.kept)).toEqual(idsOf(0, 3_000));
  });

  test.each([
    { durability: "memory_first" as const, spoolFolder: true },
    { durability: "memory_first" as const, spoolFolder: false },
  ])("otherwise it says at once that it is not: $durability, with a folder: $spoolFolder", async (given) => {
    const folder = given.spoolFolder ? { spoolFolder: newFolder() } : {};
    const { reporter } = startReporting({ apiUrl: api.url, durability: given.durability, ...folder });
    expect(await isOnDisk(reporter.report(event(1)))).toBe(false);
  });

  test("segments have a size, and what they hold is one event a line", async () => {
    const spoolFolder = newFolder();
    await api.stop();
    const options = { spoolFolder, segmentBytesMax: 4_096, batchEventsMax: 10 };
    const { reporter } = startReporting({ apiUrl: api.url, ...options });
    for (let from = 0; from < 200; from += 20) {
      reportMany(reporter, from, from + 20);
      await expect.poll(() => reporter.stats().spooled).toBe(from + 20);
    }
    // 20 events are some 2,800 bytes: two writes fill a segment.
    expect(reporter.stats().spool.segments).toBeGreaterThanOrEqual(5);
    await api.start();
    expect(await reporter.flush()).toBe(true);
    expect(idsIn(api.kept)).toEqual(idsOf(0, 200));
  });

  test("other files in its folder are left alone", async () => {
    const spoolFolder = newFolder();
    for (const name of ["README", "x.ready", "0.writing.me"]) writeFileSync(join(spoolFolder, name), "{}\n");
    const { reporter } = startReporting({ apiUrl: api.url, spoolFolder, durability: "spool_first" });
    reportMany(reporter, 0, 10);
    await reporter.close();
    expect(readdirSync(spoolFolder).sort()).toEqual(["0.writing.me", "README", "x.ready"]);
    expect(idsIn(api.kept)).toEqual(idsOf(0, 10));
  });
});

describe("a disk that takes nothing", () => {
  test("a full folder is told; then memory holds what fits, the rest is dropped, and what was taken arrives", async () => {
    await api.stop();
    const options = { spoolFolder: newFolder(), spoolBytesMax: 40_000, memoryBytesMax: 64 * 1_024 };
    const { reporter, codes, recoveries } = startReporting({
      apiUrl: api.url,
      batchEventsMax: 50,
      ...options,
    });
    let taken = 0;
    for (let from = 0; from < 1_000; from += 20) {
      taken += reportMany(reporter, from, from + 20).filter(({ status }) => status === "taken").length;
      await delay(1);
    }
    await expect
      .poll(codes)
      .toEqual(expect.arrayContaining(["api_unreachable", "spool_full", "event_dropped"]));
    expect(reporter.stats().spool.bytes).toBeLessThanOrEqual(40_000);
    expect(reporter.stats()).toMatchObject({ taken, dropped: 1_000 - taken });
    expect(taken).toBeLessThan(1_000);
    await api.start();
    expect(await reporter.flush()).toBe(true);
    expect(api.kept.size).toBe(taken);
    reportMany(reporter, 1_000, 1_001);
    expect(recoveries.map(({ code }) => code)).toContain("api_answers");
  });

  test.each([{ durability: "spool_first" as const }, { durability: "memory_first" as const }])(
    "no space in the middle of a write, with $durability: nothing is lost, and it is used again once there is space",
    async ({ durability }) => {
      const files = smallDisk(10_000);
      await api.stop();
      const { reporter, codes, recoveries } = startReporting(
        { apiUrl: api.url, spoolFolder: newFolder(), durability, batchEventsMax: 30 },
        { files },
      );
      for (let from = 0; from < 300; from += 10) {
        reportMany(reporter, from, from + 10);
        await delay(2);
      }
      await expect.poll(codes).toEqual(expect.arrayContaining(["api_unreachable", "spool_unwritable"]));
      const { spooled, queued } = reporter.stats();
      expect([spooled > 0, spooled + queued]).toEqual([true, 300]);
      files.bytesLeft = 1_000_000;
      await expect
        .poll(() => reporter.stats(), { timeout: 10_000 })
        .toMatchObject({ spooled: 300, queued: 0 });
      expect(recoveries.map(({ code }) => code)).toEqual(["spool_writes"]);
      await api.start();
      expect(await reporter.flush()).toBe(true);
      expect(idsIn(api.kept)).toEqual(idsOf(0, 300));
    },
  );

  test("with spool_first and a working API usage goes on; only the promise is not given", async () => {
    const options = { spoolFolder: newFolder(), durability: "spool_first" as const };
    const { reporter, codes } = startReporting({ apiUrl: api.url, ...options }, { files: smallDisk(0) });
    const results = reportMany(reporter, 0, 100);
    expect(await Promise.all(results.map(isOnDisk))).toEqual(results.map(() => false));
    expect(await reporter.flush()).toBe(true);
    expect(idsIn(api.kept)).toEqual(idsOf(0, 100));
    expect(codes()).toEqual(["spool_unwritable"]);
  });

  test("a folder that cannot be made is told, and memory has to do", async () => {
    const file = join(newFolder(), "file");
    writeFileSync(file, "");
    const { reporter, codes } = startReporting({ apiUrl: api.url, spoolFolder: join(file, "spool") });
    reportMany(reporter, 0, 100);
    expect(await reporter.flush()).toBe(true);
    expect(codes()).toEqual(["spool_unwritable"]);
    expect(idsIn(api.kept)).toEqual(idsOf(0, 100));
  });
});

describe("the end", () => {
  test("close sends what there is", async () => {
    const { reporter } = startReporting({ apiUrl: api.url, batchAgeMs: 60_000 });
    reportMany(reporter, 0, 30);
    expect(await reporter.close()).toMatchObject({ taken: 30, accepted: 30, queued: 0, dropped: 0 });
    expect(reporter.report(event(31))).toMatchObject({ status: "refused", code: "reporter_closed" });
    expect(await reporter.close()).toMatchObject({ accepted: 30 });
  });

  test.each([
    { why: "is away", make: async () => api.stop() },
    {
      why: "does not answer",
      make: () => {
        api.behave = () => "hang";
      },
    },
  ])(
    "when the API $why, close leaves everything on disk by its deadline, and the next one sends it",
    async ({ make }) => {
      const spoolFolder = newFolder();
      await make();
      const { reporter } = startReporting({ apiUrl: api.url, spoolFolder });
      reportMany(reporter, 0, 30);
      expect(await reporter.close({ deadlineMs: 50 })).toMatchObject({
        taken: 30,
        accepted: 0,
        queued: 0,
        dropped: 0,
      });
      await api.stop();
      api.behave = () => undefined;
      await api.start();
      const { reporter: next } = startReporting({ apiUrl: api.url, spoolFolder });
      expect(await next.flush()).toBe(true);
      expect(next.stats()).toMatchObject({ taken: 0, accepted: 30 });
      expect(idsIn(api.kept)).toEqual(idsOf(0, 30));
    },
  );

  test("without a disk the rest is lost, counted and told", async () => {
    await api.stop();
    const { reporter, problems } = startReporting({ apiUrl: api.url });
    reportMany(reporter, 0, 30);
    expect(await reporter.close({ deadlineMs: 50 })).toMatchObject({ taken: 30, dropped: 30, queued: 0 });
    expect(problems.filter(({ code }) => code === "event_dropped").map(({ count }) => count)).toEqual([30]);
  });

  test("flush says when it did not get everything through in time", async () => {
    api.behave = () => "hang";
    const { reporter } = startReporting({ apiUrl: api.url });
    reportMany(reporter, 0, 3);
    expect(await reporter.flush({ deadlineMs: 30 })).toBe(false);
    expect(reporter.stats().queued).toBe(3);
  });
});

test("whatever happens on the way, what was taken arrives, once each, and every count adds up", async () => {
  const moods = fc.constantFrom("well", "slow", "cut", "flooded", "failing", "away");
  const steps = fc.array(fc.record({ mood: moods, events: fc.nat(300), pauseMs: fc.nat(30) }), {
    maxLength: 8,
  });
  const options = fc.record({
    durability: fc.constantFrom("memory_first" as const, "spool_first" as const),
    batchEventsMax: fc.integer({ min: 1, max: 100 }),
    memoryBytesMax: fc.constantFrom(16 * 1_024, 1_024 * 1_024),
    segmentBytesMax: fc.constantFrom(2_048, 1_024 * 1_024),
    space: fc.constantFrom(2_000, 10_000_000),
  });
  const run = async (
    story: { mood: string; events: number; pauseMs: number }[],
    given: { space: number },
  ) => {
    const server = await startFakeApi();
    const { space, ...rest } = given;
    const { reporter } = startReporting(
      { apiUrl: server.url, spoolFolder: newFolder(), backoffMaxMs: 5, ...rest },
      { files: smallDisk(space), roundMs: 20 },
    );
    let reported = 0;
    for (const { mood, events, pauseMs } of story) {
      server.behave = async () => {
        if (mood === "slow") await delay(10);
        if (mood === "cut") return "cut";
        if (mood === "flooded") return problem(429, "too_many_requests");
        return mood === "failing" ? problem(500, "internal_error") : undefined;
      };
      if (mood === "away") await server.stop();
      reportMany(reporter, reported, reported + events);
      reported += events;
      await delay(pauseMs);
      if (mood === "away") await server.start();
    }
    server.behave = () => undefined;
    expect(await reporter.flush()).toBe(true);
    const { taken, dropped, accepted, duplicates, queued, queuedBytes, conflicts, invalid } =
      reporter.stats();
    await reporter.close();
    await server.stop();
    expect([taken + dropped, conflicts, invalid, queued, queuedBytes]).toEqual([reported, 0, 0, 0, 0]);
    expect(server.kept.size).toBe(taken);
    // Each was answered once by the counts; an answer that was cut off is the one before a duplicate.
    expect(accepted + duplicates).toBe(taken);
  };
  await fc.assert(fc.asyncProperty(steps, options, run), { numRuns: 25, endOnFailure: true });
}, 120_000);
