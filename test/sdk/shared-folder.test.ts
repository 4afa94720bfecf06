import { readdirSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { realFiles } from "../../src/sdk/usage/disk-spool/spool-files.ts";
import { createUuidV7 } from "../../src/sdk/usage/uuid-v7.ts";
import { type FakeApi, startFakeApi } from "./support/fake-api.ts";
import { event, idsIn, idsOf, newFolder, reportMany, startReporting } from "./support/reporting.ts";

/** Segments of others in the folder: of processes that ended in the middle of a line, or that seem to have ended. */

let api: FakeApi;
let spoolFolder: string;
beforeEach(async () => {
  api = await startFakeApi();
  spoolFolder = newFolder();
});
afterEach(() => api.stop());

const newId = createUuidV7(() => Date.now());
const line = (n: number) => JSON.stringify({ source: "gateway", ...event(n) });

describe("what is in a segment", () => {
  test.each([
    {
      why: "its last line is torn",
      text: `${line(0)}\n${line(1)}\n${line(2).slice(0, 50)}`,
      ids: [0, 1],
      damaged: 1,
    },
    { why: "its last line has no end", text: `${line(0)}\n${line(1)}`, ids: [0], damaged: 1 },
    { why: "its only line is torn", text: line(0).slice(0, 9), ids: [], damaged: 1 },
    { why: "it ends in zeros", text: `${line(0)}\n${"\u0000".repeat(4_096)}`, ids: [0], damaged: 1 },
    {
      why: "it has zeros inside",
      text: `${line(0)}\n{${"\u0000".repeat(9)}}\n${line(2)}\n`,
      ids: [0, 2],
      damaged: 1,
    },
    { why: "it is empty", text: "", ids: [], damaged: 0 },
  ])("is sent when $why", async ({ text, ids, damaged }) => {
    writeFileSync(join(spoolFolder, `${newId()}.ready`), text);
    const { reporter, problems } = startReporting({ apiUrl: api.url, spoolFolder });
    expect(await reporter.flush()).toBe(true);
    expect(idsIn(api.kept)).toEqual(ids.map((n) => `e/${n}`));
    await expect.poll(() => readdirSync(spoolFolder)).toEqual([]);
    const counts = problems.filter(({ code }) => code === "spool_damaged").map(({ count }) => count);
    expect(counts).toEqual(damaged === 0 ? [] : [damaged]);
  });

  test("the oldest goes first", async () => {
    for (const n of [0, 1, 2, 3]) writeFileSync(join(spoolFolder, `${newId()}.ready`), `${line(n)}\n`);
    const { reporter } = startReporting({ apiUrl: api.url, spoolFolder, requestsInFlightMax: 1 });
    expect(await reporter.flush()).toBe(true);
    expect([...api.kept.values()].map(({ id }) => id)).toEqual(idsOf(0, 4));
  });
});

describe("who has a segment", () => {
  test("one of a process elsewhere is left to it for as long as it touches it, and no longer", async () => {
    const path = join(spoolFolder, `${newId()}.writing.00000000-1-abcdef01`);
    writeFileSync(path, `${line(0)}\n`);
    const { reporter } = startReporting({ apiUrl: api.url, spoolFolder }, { roundMs: 5, staleAfterMs: 300 });
    for (let touch = 0; touch < 30; touch++) {
      await delay(20);
      // Its clock is a day behind, and does not matter.
      utimesSync(path, new Date(), new Date(Date.now() - 86_400_000 + touch));
    }
    expect(api.requests).toHaveLength(0);
    await expect.poll(() => idsIn(api.kept), { timeout: 5_000 }).toEqual(["e/0"]);
    await expect.poll(() => reporter.stats().spool.segments).toBe(0);
  });

  test("a writer whose segment was taken in the middle of a write writes it again", async () => {
    await api.stop();
    let taken = 0;
    const files = {
      ...realFiles,
      async create(path: string) {
        const file = await realFiles.create(path);
        const append = async (bytes: Uint8Array) => {
          // Somebody takes it over and reads it before this is written.
          if (taken++ === 0) renameSync(path, join(spoolFolder, "elsewhere"));
          await file.append(bytes);
        };
        return { ...file, append };
      },
    };
    const options = { apiUrl: api.url, spoolFolder, durability: "spool_first" as const };
    const { reporter } = startReporting(options, { files });
    const [result] = reportMany(reporter, 0, 1);
    expect(result?.status === "taken" && (await result.flushedToDisk)).toBe(true);
    await reporter.close({ deadlineMs: 0 });
    const [left = ""] = readdirSync(spoolFolder).filter((name) => name.endsWith(".ready"));
    expect(JSON.parse(await realFiles.read(join(spoolFolder, left)))).toEqual(JSON.parse(line(0)));
  });

  test("reporters that take each other's segments all the time lose nothing", {
    timeout: 60_000,
  }, async () => {
    let takeovers = 0;
    const rename = async (from: string, to: string) => {
      await realFiles.rename(from, to);
      if (from.includes(".writing.") && to.includes(".sending.")) takeovers++;
    };
    // Each believes at once that the others have ended: the worst that a wrong guess can do.
    const machine = { roundMs: 2, staleAfterMs: 0, files: { ...realFiles, rename } };
    const options = { apiUrl: api.url, spoolFolder, durability: "spool_first" as const, batchAgeMs: 20 };
    const all = [0, 1, 2].map(() => startReporting(options, machine).reporter);
    const onDisk: (boolean | Promise<boolean>)[] = [];
    let reported = 0;
    while (takeovers < 50) {
      for (const reporter of all) {
        const results = reportMany(reporter, reported, reported + 10);
        onDisk.push(...results.map((result) => result.status === "taken" && result.flushedToDisk));
        reported += 10;
      }
      await delay(1);
    }
    // One that lost its segment three times in a row says that it is not on disk, and keeps the events in memory.
    await Promise.all(onDisk);
    await Promise.all(all.map((reporter) => reporter.close({ deadlineMs: 20_000 })));
    const { reporter } = startReporting({ apiUrl: api.url, spoolFolder });
    expect(await reporter.flush()).toBe(true);
    expect(idsIn(api.kept)).toEqual(idsOf(0, reported));
  });
});

test("the lag is that of the oldest event, also when another process left it", async () => {
  await api.stop();
  const hourAgo = createUuidV7(() => Date.now() - 3_600_000)();
  const { reporter } = startReporting({ apiUrl: api.url, spoolFolder }, { roundMs: 10 });
  reportMany(reporter, 0, 10);
  await expect.poll(() => reporter.stats().spooled).toBe(10);
  expect(reporter.stats().lagMs).toBeLessThan(600_000);
  writeFileSync(join(spoolFolder, `${hourAgo}.ready`), `${line(10)}\n`);
  await expect.poll(() => reporter.stats().lagMs).toBeGreaterThan(3_590_000);
  await api.start();
  expect(await reporter.flush()).toBe(true);
  expect(idsIn(api.kept)).toEqual(idsOf(0, 11));
  expect(reporter.stats().lagMs).toBe(0);
});

test("a clock that jumps, back and far ahead, changes nothing but the times of events that name none", async () => {
  let wallMs = Date.now();
  const jumps = [3_600_000, -86_400_000, 5, -5, 400 * 86_400_000, -2_000_000_000];
  let reads = 0;
  const clock = {
    wallMs: () => {
      wallMs += jumps[reads++ % jumps.length] ?? 0;
      return wallMs;
    },
    monotonicMs: () => performance.now(),
    random: () => Math.random(),
  };
  await api.stop();
  const { reporter } = startReporting({ apiUrl: api.url, spoolFolder }, { clock, roundMs: 10 });
  const results = Array.from({ length: 500 }, (_, n) =>
    reporter.report({ ...event(n), id: undefined, time: undefined }),
  );
  await expect.poll(() => reporter.stats().spooled).toBe(500);
  await api.start();
  expect(await reporter.flush()).toBe(true);
  const ids = results.map((result) => (result.status === "taken" ? result.id : ""));
  expect(new Set(ids).size).toBe(500);
  expect(idsIn(api.kept)).toEqual(ids.toSorted());
  expect(reporter.stats().lagMs).toBe(0);
});
