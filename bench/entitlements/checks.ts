import { openHttpConnection } from "../ingest/http-connection.ts";
import type { IngestUnderTest } from "../ingest/ingest-under-test.ts";
import { measured, type RateRun } from "../ingest/measured.ts";
import type { Child } from "../ingest/messages.ts";
import { customerId } from "../ingest/workload.ts";
import type { CheckedFeature } from "./features.ts";

export interface CheckLoad {
  readonly seconds: number;
  readonly connections: number;
  readonly customers: number;
  /** "none": what nobody gives is asked for, by the path of a calculator that asks no database. */
  readonly feature: CheckedFeature | "none";
  /** How old an answer may be; 0 when left out: it is asked for anew. */
  readonly maxAgeMs?: number;
  /** Where checks are answered; a bare handler that parses them and does nothing, when given. */
  readonly bareUrl?: string;
  /** The process that answers; the API when left out. */
  readonly watched?: Child<unknown>;
  /** Checks a second, when they come at a pace of their own; as fast as they are answered when left out. */
  readonly perSecond?: number;
}

const calculation = JSON.stringify({ amount_minor: "100.5", currency: "usd" });

/** Checks, one after the other on each connection, of one customer after the other. */
export async function loadChecks(
  { api, server }: IngestUnderTest,
  { seconds, connections, customers, feature, maxAgeMs = 0, bareUrl, watched = api, perSecond }: CheckLoad,
): Promise<RateRun> {
  const { url, key } = api.ready;
  const path = feature === "none" ? "/v1/calculate/money" : "/v1/entitlements/check";
  const headers = { authorization: `Bearer ${key}` };
  const target = bareUrl === undefined ? { url, path, headers } : { url: bareUrl, path: "/events", headers };
  const dueAt = (index: number) => (perSecond === undefined ? 0 : begun + (index * 1_000) / perSecond);
  const took: number[] = [];
  const begun = performance.now();
  const until = begun + seconds * 1_000;
  const connection = async (_: unknown, place: number) => {
    const http = await openHttpConnection(target);
    for (let index = place; performance.now() < until; index += connections) {
      const dueAtMs = dueAt(index);
      const wait = dueAtMs - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      // Who has to wait for a connection waits since it was due.
      const askedAt = wait > 0 || dueAtMs === 0 ? performance.now() : dueAtMs;
      const { status, body } = await http.post(questionOf(feature, index % customers, maxAgeMs));
      took.push(performance.now() - askedAt);
      const isAllowed = feature === "none" || bareUrl !== undefined || body.includes('"allowed":true');
      if (status !== 200 || !isAllowed) throw new Error(body);
    }
    http.close();
  };
  return await measured({ databasePid: server.pid, server: watched }, async () => {
    await Promise.all(Array.from({ length: connections }, connection));
    const sorted = took.toSorted((one, other) => one - other);
    const percentile = (share: number) =>
      Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 100) / 100;
    return {
      events: took.length,
      seconds: (performance.now() - begun) / 1_000,
      p50: percentile(0.5),
      p99: percentile(0.99),
    };
  });
}

const questionOf = (feature: CheckLoad["feature"], customer: number, max_age_ms: number): string =>
  feature === "none"
    ? calculation
    : JSON.stringify({ customer: customerId(customer), features: [{ feature }], max_age_ms });
