import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createUsageReporter, type EdgeReporterOptions } from "../../src/sdk/usage/edge.ts";
import { type FakeApi, problem, startFakeApi } from "./support/fake-api.ts";
import { event, idsIn, idsOf, reportMany } from "./support/reporting.ts";

/** The reporter for runtimes that have fetch and no files. */

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => api.stop());

const problems: string[] = [];

function start(options: Partial<EdgeReporterOptions> = {}) {
  problems.length = 0;
  const reporter = createUsageReporter({
    apiUrl: api.url,
    apiKey: "rk_test",
    source: "gateway",
    batchAgeMs: 5,
    backoffFirstMs: 5,
    backoffMaxMs: 40,
    onProblem: ({ code }) => void problems.push(code),
    ...options,
  });
  onTestFinished(async () => void (await reporter.close({ deadlineMs: 0 })));
  return reporter;
}

test.each(["usage/edge.ts", "entitlements/index.ts"])(
  "nothing that %s imports, however far away, is Node's or a package",
  (file) => {
    const entry = resolve(import.meta.dirname, "../../src/sdk", file);
    const reached = new Set([entry]);
    const outside: string[] = [];
    for (const each of reached) {
      const imports = readFileSync(each, "utf8").matchAll(
        /^(?:import|export)\s(?!type\b)[^;]*?from "([^"]+)"/gm,
      );
      for (const [, source = ""] of imports) {
        if (source.startsWith(".")) reached.add(join(dirname(each), source));
        else outside.push(source);
      }
    }
    expect(outside).toEqual([]);
    expect(reached.size).toBeGreaterThanOrEqual(10);
    const globals = /\b(?:Buffer|process|setImmediate|require)\b[.(]/;
    expect([...reached].filter((each) => globals.test(readFileSync(each, "utf8")))).toEqual([]);
  },
);

describe("with fetch", () => {
  test("batches arrive, compressed", async () => {
    const reporter = start();
    reportMany(reporter, 0, 2_500);
    expect(await reporter.flush()).toBe(true);
    expect(idsIn(api.kept)).toEqual(idsOf(0, 2_500));
    expect(api.requests.every(({ isCompressed }) => isCompressed)).toBe(true);
  });

  test.each([
    { why: "the line is cut", reply: "cut" as const, code: "api_unreachable" },
    { why: "no answer comes in time", reply: "hang" as const, code: "api_unreachable" },
    { why: "it is told to wait", reply: problem(429, "too_many_requests"), code: "api_overloaded" },
  ])("what fails because $why is sent again", async ({ reply, code }) => {
    api.behave = () => (api.requests.length <= 3 ? reply : undefined);
    const reporter = start({ requestTimeoutMs: reply === "hang" ? 500 : 10_000 });
    reportMany(reporter, 0, 10);
    expect(await reporter.flush()).toBe(true);
    expect(idsIn(api.kept)).toEqual(idsOf(0, 10));
    expect(problems).toEqual([code]);
  });

  test("what is left when it closes is lost, and that is said", async () => {
    api.behave = () => "hang";
    const reporter = start();
    reportMany(reporter, 0, 10);
    expect(await reporter.close({ deadlineMs: 20 })).toMatchObject({ taken: 10, dropped: 10, queued: 0 });
    expect(problems).toEqual(["event_dropped"]);
    expect(reporter.report(event(1)).status).toBe("refused");
  });

  test("a fetch of the host's own is used", async () => {
    const asked: string[] = [];
    const reporter = start({
      fetch: (input, init) => {
        asked.push(String(input));
        return fetch(input, init);
      },
    });
    reporter.report(event(1));
    await reporter.flush();
    expect(asked).toEqual([`${api.url}/v1/events?results=problems`]);
  });
});
