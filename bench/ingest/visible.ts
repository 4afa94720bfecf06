import { setTimeout as delay } from "node:timers/promises";
import { instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import type { IngestUnderTest } from "./ingest-under-test.ts";

/** Milliseconds. */
export interface Delays {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

export interface VisibleRun {
  readonly probes: number;
  /** The pace of the other events meanwhile. */
  readonly perSecond: number;
  /** From the answer that says "accepted" to the answer of the usage query that counts the event. */
  readonly visible: Delays;
  /** Of a request that has nothing to do with usage. */
  readonly health: Delays;
}

export const probeCustomer = "cus_probe";

/** Sends single events beside a load, and asks for the usage until it shows each of them. */
export async function runVisible(
  { api }: IngestUnderTest,
  {
    probes,
    perSecond,
    load,
  }: { readonly probes: number; readonly perSecond: number; readonly load: Promise<unknown> },
): Promise<VisibleRun> {
  const { url, key } = api.ready;
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const hourMs = 3_600_000;
  const from = Date.now() - hourMs;
  const [begin, end] = [from, from + 2 * hourMs].map((at) => isoOf(instantOfEpochMs(at)));
  const usage = `${url}/v1/usage?customer=${probeCustomer}&meter=input_tokens&group_by=&from=${begin}&to=${end}`;
  const [visible, health]: [number[], number[]] = [[], []];
  let isOver = false;
  load
    .catch(() => {})
    .then(() => {
      isOver = true;
    });
  const before = await countAt(usage, headers);
  for (let probe = before + 1; probe <= before + probes && !isOver; probe++) {
    const event = probeEvent(probe);
    const response = await fetch(`${url}/v1/events`, {
      method: "POST",
      headers,
      body: JSON.stringify(event),
    });
    const { accepted } = (await response.json()) as { accepted: number };
    if (accepted !== 1) throw new Error("the probe was not accepted");
    const acceptedAt = performance.now();
    while ((await countAt(usage, headers)) < probe) {}
    visible.push(performance.now() - acceptedAt);
    const askedAt = performance.now();
    await (await fetch(`${url}/healthz`)).text();
    health.push(performance.now() - askedAt);
    await delay(20);
  }
  await load;
  return { probes: visible.length, perSecond, visible: delaysOf(visible), health: delaysOf(health) };
}

const probeEvent = (probe: number) => ({
  id: `probe/${probe}`,
  source: "probe",
  customer: probeCustomer,
  type: "model.request",
  time: isoOf(instantOfEpochMs(Date.now() - 1_000)),
  data: { model: "small", region: "eu-central-1", input_tokens: 1, output_tokens: 1 },
});

async function countAt(url: string, headers: Record<string, string>): Promise<number> {
  const { data } = (await (await fetch(url, { headers })).json()) as { data: { event_count: number }[] };
  return data[0]?.event_count ?? 0;
}

function delaysOf(milliseconds: readonly number[]): Delays {
  const sorted = milliseconds.toSorted((one, other) => one - other);
  const percentile = (share: number) =>
    Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 10) / 10;
  return { count: sorted.length, p50: percentile(0.5), p99: percentile(0.99) };
}
