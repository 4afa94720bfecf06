import { openHttpConnection } from "../ingest/http-connection.ts";
import type { IngestUnderTest } from "../ingest/ingest-under-test.ts";
import { measured, type RateRun } from "../ingest/measured.ts";
import { customerId } from "../ingest/workload.ts";
import type { CheckedFeature } from "./features.ts";

export interface CheckLoad {
  readonly seconds: number;
  readonly connections: number;
  readonly customers: number;
  /** "none": what nobody gives is asked for, by the path of a calculator that asks no database. */
  readonly feature: CheckedFeature | "none";
}

const calculation = JSON.stringify({ amount_minor: "100", currency: "usd", divide_by: "3" });

/** Checks, one after the other on each connection, of one customer after the other. */
export async function loadChecks(
  { api, server }: IngestUnderTest,
  { seconds, connections, customers, feature }: CheckLoad,
): Promise<RateRun> {
  const { url, key } = api.ready;
  const path = feature === "none" ? "/v1/calculate/money" : "/v1/entitlements/check";
  const target = { url, path, headers: { authorization: `Bearer ${key}` } };
  const took: number[] = [];
  const begun = performance.now();
  const until = begun + seconds * 1_000;
  const connection = async (_: unknown, place: number) => {
    const http = await openHttpConnection(target);
    for (let index = place; performance.now() < until; index += connections) {
      const askedAt = performance.now();
      const { status, body } = await http.post(questionOf(feature, index % customers));
      took.push(performance.now() - askedAt);
      const isAllowed = feature === "none" || body.includes('"allowed":true');
      if (feature !== "none" && (status !== 200 || !isAllowed)) throw new Error(body);
    }
    http.close();
  };
  return await measured({ databasePid: server.pid, server: api }, async () => {
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

const questionOf = (feature: CheckLoad["feature"], customer: number): string =>
  feature === "none"
    ? calculation
    : JSON.stringify({ customer: customerId(customer), features: [{ feature }] });
