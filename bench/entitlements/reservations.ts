import { openHttpConnection } from "../ingest/http-connection.ts";
import type { IngestUnderTest } from "../ingest/ingest-under-test.ts";
import { measured, type RateRun } from "../ingest/measured.ts";
import { customerId } from "../ingest/workload.ts";
import { treeShape, userOf } from "./spenders.ts";

export interface PairLoad {
  readonly seconds: number;
  readonly connections: number;
  /** "spread": one customer after the other. "hot": all of one organisation's. */
  readonly over: "spread" | "hot";
  readonly customers: number;
  /** Pairs a second, when they come at a pace of their own; as fast as they are answered when left out. */
  readonly perSecond?: number;
  /** Tells the requests of one run from those of others. */
  readonly name: string;
}

const worstCase = { model: "large", region: "eu-central-1", input_tokens: 8_000, output_tokens: 4_000 };
const used = { model: "large", region: "eu-central-1", input_tokens: 7_312, output_tokens: 911 };

/** Pairs of a reservation and its settlement over HTTP; their latency is that of each of the two. */
export async function loadPairs(
  { api, server }: IngestUnderTest,
  { seconds, connections, over, customers, perSecond, name }: PairLoad,
): Promise<RateRun> {
  const { url, key } = api.ready;
  const target = { url, path: "/v1/reservations", headers: { authorization: `Bearer ${key}` } };
  const took: number[] = [];
  const begun = performance.now();
  const until = begun + seconds * 1_000;
  let pairs = 0;
  const dueAt = (pair: number) => (perSecond === undefined ? 0 : begun + (pair * 1_000) / perSecond);
  const connection = async () => {
    const http = await openHttpConnection(target);
    const timed = async (path: string, body: object) => {
      const askedAt = performance.now();
      const answer = await http.post(JSON.stringify(body), path);
      took.push(performance.now() - askedAt);
      if (answer.status !== 200) throw new Error(answer.body);
      return answer.body;
    };
    while (performance.now() < until) {
      const pair = pairs++;
      const wait = dueAt(pair) - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const customer = customerId(over === "hot" ? 0 : (pair * 7_919) % customers);
      const user = userOf(pair % treeShape.usersOfCustomer);
      const id = `${name}-${pair}`;
      const event = { type: "model.request", data: worstCase };
      const reserved = await timed("/v1/reservations", { id, customer, user, event });
      if (!reserved.includes('"granted":true')) throw new Error(reserved);
      await timed(`/v1/reservations/${id}/settle`, { data: used });
    }
    http.close();
  };
  return await measured({ databasePid: server.pid, server: api }, async () => {
    await Promise.all(Array.from({ length: connections }, connection));
    const sorted = took.toSorted((one, other) => one - other);
    const percentile = (share: number) =>
      Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 100) / 100;
    const events = took.length / 2;
    return {
      events,
      seconds: (performance.now() - begun) / 1_000,
      p50: percentile(0.5),
      p99: percentile(0.99),
    };
  });
}
