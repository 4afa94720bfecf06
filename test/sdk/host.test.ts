import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FakeApi, startFakeApi } from "./support/fake-api.ts";
import type { HostStory } from "./support/host.ts";
import { startHost } from "./support/host-process.ts";
import { idsIn, idsOf, newFolder, startReporting } from "./support/reporting.ts";

/** Services that end, well or badly, with a reporter in them. */

let api: FakeApi;
let spoolFolder: string;
beforeEach(async () => {
  api = await startFakeApi();
  spoolFolder = newFolder();
});
afterEach(() => api.stop());

type Over = Partial<Omit<HostStory, "options">> & { readonly options?: Partial<HostStory["options"]> };

const story = (over: Over = {}): HostStory => ({
  from: 0,
  to: 2_000,
  atOnce: 50,
  pauseMs: 1,
  ending: "close",
  ...over,
  options: {
    apiUrl: api.url,
    apiKey: "rk_test",
    source: "gateway",
    spoolFolder,
    batchAgeMs: 5,
    backoffFirstMs: 5,
    backoffMaxMs: 40,
    ...over.options,
  },
});

/** What a process that comes after finds on disk, and sends. */
async function sendTheRest(): Promise<void> {
  const { reporter } = startReporting({ apiUrl: api.url, spoolFolder }, { roundMs: 50, staleAfterMs: 500 });
  expect(await reporter.flush()).toBe(true);
  await reporter.close();
  expect(readdirSync(spoolFolder)).toEqual([]);
}

describe("killed", () => {
  test.each([{ isApiThere: true }, { isApiThere: false }])(
    "with spool_first nothing that was on disk is lost: killed six times; the API is there: $isApiThere",
    { timeout: 90_000 },
    async ({ isApiThere }) => {
      if (!isApiThere) await api.stop();
      const onDisk = new Set<number>();
      for (let kill = 0; kill < 6; kill++) {
        const from = kill * 100_000;
        const options = { durability: "spool_first" as const };
        const host = startHost(story({ from, to: from + 100_000, atOnce: 20, pauseMs: 1, options }));
        const enough = 1 + kill * 50;
        await expect.poll(() => host.onDisk.size, { timeout: 20_000, interval: 1 }).toBeGreaterThan(enough);
        await delay(Math.random() * 20);
        host.kill();
        expect(await host.ended).toBeNull();
        for (const n of host.onDisk) onDisk.add(n);
      }
      if (!isApiThere) await api.start();
      await sendTheRest();
      const arrived = new Set(idsIn(api.kept));
      expect([...onDisk].filter((n) => !arrived.has(`e/${n}`))).toEqual([]);
      expect(onDisk.size).toBeGreaterThan(6 * 20);
    },
  );

  test("several at once in one folder, one of them killed: the others send what it left", {
    timeout: 60_000,
  }, async () => {
    await api.stop();
    const hosts = [0, 1, 2].map((n) =>
      startHost(
        story({
          from: n * 100_000,
          to: n * 100_000 + 1_000,
          options: { durability: "spool_first" },
          pauseMs: 5,
        }),
      ),
    );
    const [victim, ...others] = hosts;
    await expect.poll(() => victim?.onDisk.size, { timeout: 20_000 }).toBeGreaterThan(100);
    victim?.kill();
    await victim?.ended;
    await expect
      .poll(() => others.every(({ onDisk }) => onDisk.size === 1_000), { timeout: 20_000 })
      .toBe(true);
    await api.start();
    expect(await Promise.all(others.map(({ ended }) => ended))).toEqual([0, 0]);
    await sendTheRest();
    const arrived = new Set(idsIn(api.kept));
    const onDisk = hosts.flatMap((host) => [...host.onDisk]);
    expect(onDisk.filter((n) => !arrived.has(`e/${n}`))).toEqual([]);
  });
});

describe("ending", () => {
  test("a host that closes its reporter has sent everything", async () => {
    const host = startHost(story());
    expect(await host.ended).toBe(0);
    expect(host.errors()).toBe("");
    expect(idsIn(api.kept)).toEqual(idsOf(0, 2_000));
    expect(readdirSync(spoolFolder)).toEqual([]);
  });

  test.each([
    { ending: "by itself" as const, code: 0 },
    { ending: "exit" as const, code: 0 },
    { ending: "throw" as const, code: 1 },
  ])(
    "one that ends without closing it ($ending) leaves the rest on disk, with memory_first too",
    async (given) => {
      const host = startHost(story({ ending: given.ending, pauseMs: 0, options: { batchAgeMs: 60_000 } }));
      expect(await host.ended).toBe(given.code);
      await sendTheRest();
      expect(idsIn(api.kept)).toEqual(idsOf(0, 2_000));
    },
  );

  test("a reporter never keeps its host alive, not even with a request under way that nobody answers", async () => {
    api.behave = () => "hang";
    const host = startHost(story({ ending: "by itself", to: 2_500, pauseMs: 20, atOnce: 500 }));
    // Its requests may take 30 s: it does not wait for them.
    expect(await host.ended).toBe(0);
    expect(api.requests.length).toBeGreaterThan(0);
    await api.stop();
    api.behave = () => undefined;
    await api.start();
    await sendTheRest();
    expect(idsIn(api.kept)).toEqual(idsOf(0, 2_500));
  });

  test("without a folder, what is in memory is lost, and that is told before the end", async () => {
    await api.stop();
    const host = startHost(
      story({ ending: "exit", to: 70, pauseMs: 0, options: { spoolFolder: undefined } }),
    );
    expect(await host.ended).toBe(0);
    const told = host
      .errors()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(told).toContainEqual({ code: "event_dropped", detail: expect.any(String), count: 70 });
  });
});
