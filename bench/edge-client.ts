import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createUsageReporter, type UsageReporterOptions } from "../src/sdk/usage/node.ts";
import { loadNow, median, thisMachine, writeFigures } from "./figures.ts";

/**
 * What the usage reporter of the SDK costs the service it is in: `npm run bench:edge -- [--seconds 3] [--runs 3] [--out FILE]`.
 *
 * - A burst: 1,000 events between two turns of the event loop, 100 times. Counted is the time inside `report` alone.
 * - A steady rate: 10,000 events a second. Counted are the delay of the event loop, beside that of the same process without
 *   a reporter, and all CPU that the process takes, with compression, disk and network.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "3" },
    runs: { type: "string", default: "3" },
    out: { type: "string" },
  },
});
const seconds = Number(values.seconds);
const eventsPerSecond = 10_000;
const burst = { turns: 100, events: 1_000 };
/** Nobody listens there. */
const away = "http://127.0.0.1:1";

type Given = Pick<UsageReporterOptions, "apiUrl" | "durability">;

interface Run {
  readonly scenario: string;
  readonly load: number;
  /** Microseconds inside `report`, for each event of a burst. */
  readonly reportMicros: number;
  /** From the first event of the burst until all are answered, or on disk, events a second. */
  readonly throughPerSecond: number;
  /** Of the event loop at the steady rate, milliseconds. */
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  /** CPU of the process at the steady rate, microseconds for each event. */
  readonly cpuMicros: number;
}

const sink = fork(join(import.meta.dirname, "edge-client", "sink.ts"));
const [port] = await once(sink, "message");
const apiUrl = `http://127.0.0.1:${port}`;
const scenarios: Record<string, Given> = {
  "memory first, the API answers": { apiUrl, durability: "memory_first" },
  "memory first, the API is away": { apiUrl: away, durability: "memory_first" },
  "spool first, the API answers": { apiUrl, durability: "spool_first" },
  "spool first, the API is away": { apiUrl: away, durability: "spool_first" },
};
const runs: Run[] = [];
const idle: Pick<Run, "loopDelayP99Ms" | "loopDelayMaxMs">[] = [];
for (let run = 0; run < Number(values.runs); run++) {
  idle.push(await steadily(() => {}));
  for (const [scenario, given] of Object.entries(scenarios)) runs.push(await measure(scenario, given));
}
sink.disconnect();
print();
if (values.out !== undefined) {
  writeFigures(values.out, {
    machine: thisMachine(),
    node: process.version,
    seconds,
    eventsPerSecond,
    idle,
    runs,
  });
}

async function measure(scenario: string, given: Given): Promise<Run> {
  const load = loadNow();
  const spoolFolder = mkdtempSync(join(tmpdir(), "reckoner-bench-"));
  const options = {
    ...given,
    apiKey: "rk_bench",
    source: "gateway",
    spoolFolder,
    memoryBytesMax: 256 * 2 ** 20,
  };
  const reporter = createUsageReporter({ ...options, onProblem: () => {} });
  const startedAt = performance.now();
  let insideMs = 0;
  for (let each = 0; each < burst.turns; each++) {
    const beforeMs = performance.now();
    for (let n = 0; n < burst.events; n++) reporter.report(completion(n));
    insideMs += performance.now() - beforeMs;
    await turn();
  }
  const count = burst.turns * burst.events;
  while (reporter.stats().queued > 0) await delay(1);
  const throughPerSecond = Math.round((count / (performance.now() - startedAt)) * 1_000);
  const steady = await steadily((n) => void reporter.report(completion(n)));
  const { dropped, refused } = await reporter.close({ deadlineMs: given.apiUrl === away ? 0 : 30_000 });
  if (dropped + refused > 0)
    throw new Error(`${scenario}: ${dropped} events were dropped, ${refused} refused`);
  rmSync(spoolFolder, { recursive: true });
  return { scenario, load, reportMicros: (insideMs / count) * 1_000, throughPerSecond, ...steady };
}

/** Every 5 ms, as many calls as keep the rate. */
async function steadily(call: (n: number) => void) {
  const loop = monitorEventLoopDelay({ resolution: 1 });
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  loop.enable();
  let called = 0;
  for (let elapsedMs = 0; elapsedMs < seconds * 1_000; elapsedMs = performance.now() - startedAt) {
    for (; called < (elapsedMs / 1_000) * eventsPerSecond; called++) call(called);
    await delay(5);
  }
  loop.disable();
  const { user, system } = process.cpuUsage(cpu);
  return {
    loopDelayP99Ms: loop.percentile(99) / 1e6,
    loopDelayMaxMs: loop.max / 1e6,
    cpuMicros: (user + system) / called,
  };
}

/** An event such as a gateway reports for each completion: some 200 characters of JSON. */
function completion(n: number) {
  return {
    customer: `customer-${n % 500}`,
    type: "model.request",
    data: { model: "swift", team: "platform", input_tokens: 2_048 + (n % 777), output_tokens: n % 99 },
  };
}

function print(): void {
  const of = (scenario: string, figure: keyof Omit<Run, "scenario">) =>
    median(runs.filter((run) => run.scenario === scenario).map((run) => run[figure]));
  const line = (...cells: readonly (string | number)[]) =>
    console.log(
      cells.map((cell, index) => (index === 0 ? `${cell}`.padEnd(32) : `${cell}`.padStart(13))).join(""),
    );
  line("medians", "report µs", "calls/s", "through/s", "CPU µs", "loop p99 ms", "loop max ms");
  for (const scenario of Object.keys(scenarios)) {
    const micros = of(scenario, "reportMicros");
    const rest = (["throughPerSecond", "cpuMicros", "loopDelayP99Ms", "loopDelayMaxMs"] as const).map(
      (figure) => of(scenario, figure),
    );
    line(scenario, micros, Math.round(1e6 / micros), ...rest);
  }
  const withoutOne = (figure: keyof (typeof idle)[number]) => median(idle.map((each) => each[figure]));
  line(
    "the same without a reporter",
    "",
    "",
    "",
    "",
    withoutOne("loopDelayP99Ms"),
    withoutOne("loopDelayMaxMs"),
  );
}
