import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ReportedTimes } from "../../src/sdk/usage/reported-times.ts";
import { type FakeApi, startFakeApi } from "./support/fake-api.ts";
import { event, newFolder, startReporting } from "./support/reporting.ts";

/** What the reporter says of how far it is: never more than is true, and never at the cost of its host. */

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => api.stop());

const beating = { heartbeatEveryMs: 10, heartbeatBehindMs: 0 };
const minute = 60_000;
const timed = (number: number, agoMs: number) => ({ ...event(number), time: new Date(Date.now() - agoMs) });
const until = () => api.heartbeats.map(({ complete_until }) => Date.parse(complete_until ?? ""));
const beats = (count: number) =>
  vi.waitFor(() => expect(api.heartbeats.length).toBeGreaterThanOrEqual(count), { timeout: 5_000 });

describe("a heartbeat", () => {
  test("is not sent unless it is asked for", async () => {
    const { reporter } = startReporting({ apiUrl: api.url });
    reporter.report(event(1));
    await reporter.close();
    expect(api.heartbeats).toEqual([]);
  });

  test("is the clock when everything is answered, less what an event may be older than its report", async () => {
    const startedMs = Date.now();
    const behind = { ...beating, heartbeatBehindMs: 5 * minute };
    const { reporter } = startReporting({ apiUrl: api.url, ...behind, instance: "pod-1" });
    reporter.report(timed(1, 10 * minute));
    await reporter.flush();
    const before = api.heartbeats.length;
    await beats(before + 3);
    expect(api.heartbeats.at(-1)).toMatchObject({ source: "gateway", instance: "pod-1" });
    const last = until().at(-1) ?? 0;
    expect(last).toBeGreaterThanOrEqual(startedMs - 5 * minute);
    expect(last).toBeLessThanOrEqual(Date.now() - 5 * minute);
  });

  test("stays at the time of the oldest event that is not answered, and goes on when it is", async () => {
    const held = Promise.withResolvers<undefined>();
    api.behave = () => held.promise;
    const { reporter } = startReporting({ apiUrl: api.url, ...beating });
    const late = timed(1, 3 * minute);
    reporter.report(late);
    reporter.report(timed(2, minute));
    await beats(3);
    const whileHeld = until();
    held.resolve(undefined);
    expect(await reporter.flush()).toBe(true);
    await beats(api.heartbeats.length + 3);
    for (const at of whileHeld.slice(1)) expect(at).toBe(late.time.getTime());
    expect(until().at(-1)).toBeGreaterThan(Date.now() - minute);
  });

  test("says nothing while what an earlier process left is not answered: nobody knows of when it is", async () => {
    const spoolFolder = newFolder();
    await api.stop();
    const first = startReporting({ apiUrl: api.url, spoolFolder });
    first.reporter.report(timed(1, 30 * minute));
    await first.reporter.close({ deadlineMs: 0 });
    await api.start();
    const held = Promise.withResolvers<undefined>();
    api.behave = () => held.promise;
    const { reporter } = startReporting({ apiUrl: api.url, spoolFolder, ...beating });
    await vi.waitFor(() => expect(api.requests.length).toBe(1), { timeout: 5_000 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(api.heartbeats).toEqual([]);
    held.resolve(undefined);
    expect(await reporter.flush()).toBe(true);
    await beats(1);
  });

  test("is the last one when the reporter closes with everything answered, and only then", async () => {
    const { reporter } = startReporting({ apiUrl: api.url, ...beating, heartbeatEveryMs: minute });
    reporter.report(event(1));
    await reporter.close();
    expect(api.heartbeats).toEqual([{ source: "gateway", instance: expect.any(String), final: true }]);

    api.behave = () => "hang";
    const other = startReporting({ apiUrl: api.url, ...beating, heartbeatEveryMs: minute });
    other.reporter.report(event(2));
    await other.reporter.close({ deadlineMs: 50 });
    expect(api.heartbeats).toHaveLength(1);
  });

  test("needs to know for which source", () => {
    expect(() => startReporting({ apiUrl: api.url, ...beating, source: undefined })).toThrow(
      expect.objectContaining({ option: "source" }),
    );
  });
});

describe("the host", () => {
  test("hears once that heartbeats are refused, and once that they are taken again; events go on", async () => {
    api.heartbeatStatus = 403;
    const { reporter, codes, recoveries } = startReporting({ apiUrl: api.url, ...beating });
    await beats(3);
    reporter.report(event(1));
    expect(await reporter.flush()).toBe(true);
    expect(codes()).toEqual(["heartbeat_refused"]);
    api.heartbeatStatus = 200;
    await vi.waitFor(() => expect(recoveries.map(({ code }) => code)).toEqual(["heartbeats_taken"]));
  });

  test("hears nothing of an API that is away but what events say of it", async () => {
    await api.stop();
    const { reporter, codes } = startReporting({ apiUrl: api.url, ...beating });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(codes()).toEqual([]);
    await api.start();
    await beats(1);
    reporter.report(event(1));
    expect(await reporter.flush()).toBe(true);
  });
});

test("the earliest time of the events that are left is never later than the truth, however often it is asked", () => {
  const anyStep = fc.oneof(
    fc.record({ report: fc.integer({ min: 0, max: 1_000 }) }),
    fc.record({ answered: fc.nat(5) }),
  );
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 200 }), (steps) => {
      const times = new ReportedTimes();
      const reported: number[] = [];
      let answered = 0;
      for (const step of steps) {
        if ("report" in step) times.add(reported.push(step.report) - 1, step.report);
        else answered = Math.min(answered + step.answered, reported.length);
        if ("report" in step) continue;
        const left = reported.slice(answered);
        const earliest = times.earliestFrom(left.length === 0 ? Number.POSITIVE_INFINITY : answered);
        expect(earliest).toBeLessThanOrEqual(Math.min(...left));
        if (left.length === 0) expect(earliest).toBe(Number.POSITIVE_INFINITY);
      }
    }),
  );
});
