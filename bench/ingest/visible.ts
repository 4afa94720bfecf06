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
  /** The same to the answer of the entitlement check that counts it; of a limit in each kind of window. */
  readonly checked: Delays;
  /** Of a request that has nothing to do with usage. */
  readonly health: Delays;
}

export const probeCustomer = "cus_probe";
const probeFeature = "probe_tokens";

/**
 * Sends single events beside a load, and asks for the usage, or, every other time, for what may still be used, until the answer shows
 * the event.
 */
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
  const call = callWith(url, headers);
  await giveFeature(call);
  const shown = { visible: countInUsage(call), checked: countInCheck(call) };
  const delays: Record<keyof typeof shown | "health", number[]> = { visible: [], checked: [], health: [] };
  let isOver = false;
  load
    .catch(() => {})
    .then(() => {
      isOver = true;
    });
  const before = await shown.visible();
  for (let probe = before + 1; probe <= before + 2 * probes && !isOver; probe++) {
    const way = probe % 2 === 0 ? "visible" : "checked";
    const { accepted } = (await call("POST", "/v1/events", probeEvent(probe))) as { accepted: number };
    if (accepted !== 1) throw new Error("the probe was not accepted");
    const acceptedAt = performance.now();
    while ((await shown[way]()) < probe) {}
    delays[way].push(performance.now() - acceptedAt);
    const askedAt = performance.now();
    await (await fetch(`${url}/healthz`)).text();
    delays.health.push(performance.now() - askedAt);
    await delay(20);
  }
  await load;
  return {
    probes: delays.health.length,
    perSecond,
    visible: delaysOf(delays.visible),
    checked: delaysOf(delays.checked),
    health: delaysOf(delays.health),
  };
}

type Call = (method: string, path: string, body?: object) => Promise<unknown>;

const callWith =
  (url: string, headers: Record<string, string>): Call =>
  async (method, path, body) => {
    const keyed = { ...headers, "idempotency-key": `${Math.random()}` };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(url + path, { method, headers: keyed, ...sent });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return await response.json();
  };

/** What the probes use, with a limit in each kind of window. */
async function giveFeature(call: Call): Promise<void> {
  const { meters } = (await call("GET", "/v1/catalog")) as { meters: object[] };
  const feature = { key: probeFeature, name: "Tokens", type: "metered", meter: "input_tokens" };
  await call("PUT", "/v1/catalog", { meters, plans: [], features: [feature] });
  const length = { unit: "hour", count: 5 };
  const windows = [
    { type: "never" },
    { type: "calendar", unit: "month" },
    { type: "billing_cycle" },
    { type: "rolling", length },
    { type: "first_use", length },
  ];
  await call("POST", `/v1/customers/${probeCustomer}/feature-grants`, {
    feature: probeFeature,
    limits: windows.map((window) => ({ quantity: "1000000000", window })),
    reason_code: "other",
    reason: "to be measured",
  });
}

const probeEvent = (probe: number) => ({
  id: `probe/${probe}`,
  source: "probe",
  customer: probeCustomer,
  type: "model.request",
  time: isoOf(instantOfEpochMs(Date.now())),
  data: { model: "small", region: "eu-central-1", input_tokens: 1, output_tokens: 1 },
});

function countInUsage(call: Call): () => Promise<number> {
  const hourMs = 3_600_000;
  const from = Date.now() - hourMs;
  const [begin, end] = [from, from + 2 * hourMs].map((at) => isoOf(instantOfEpochMs(at)));
  const path = `/v1/usage?customer=${probeCustomer}&meter=input_tokens&group_by=&from=${begin}&to=${end}`;
  return async () => {
    const { data } = (await call("GET", path)) as { data: { event_count: number }[] };
    return data[0]?.event_count ?? 0;
  };
}

/** Each probe is one token. */
function countInCheck(call: Call): () => Promise<number> {
  const question = { customer: probeCustomer, features: [{ feature: probeFeature }] };
  return async () => {
    const answer = (await call("POST", "/v1/entitlements/check", question)) as {
      features: { limits: { used: string }[] }[];
    };
    const used = answer.features[0]?.limits.map((limit) => Number(limit.used)) ?? [0];
    return Math.min(...used);
  };
}

function delaysOf(milliseconds: readonly number[]): Delays {
  const sorted = milliseconds.toSorted((one, other) => one - other);
  const percentile = (share: number) =>
    Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 10) / 10;
  return { count: sorted.length, p50: percentile(0.5), p99: percentile(0.99) };
}
