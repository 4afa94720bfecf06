import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import {
  type LocalEntitlements,
  type LocalQuestion,
  openEntitlements,
} from "../../src/sdk/entitlements/index.ts";
import type { IngestUnderTest } from "../ingest/ingest-under-test.ts";
import { customerId } from "../ingest/workload.ts";

export interface EdgeRun {
  /** Of a check that is answered where it is asked, in microseconds: of a feature by itself, and of one with four limits. */
  readonly localMicros: { readonly plain: number; readonly limited: number };
  /** From the commit of a change of plan until the SDK answers by it, in milliseconds. */
  readonly changes: number;
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
}

export interface EdgeLoad {
  /** How many processes' worth of streams are followed here, each of another customer. */
  readonly followers: number;
  readonly changes: number;
}

const interval = { unit: "month", count: 1 };
const plan = (key: string, entitlements: readonly object[]) => ({
  ...{ key, name: key, currency: "usd", interval, prices: [], entitlements },
});

/** Customers with a plan of which some change it, while the SDK follows all of them. */
export async function loadEdge(
  { api, server }: IngestUnderTest,
  { followers, changes }: EdgeLoad,
): Promise<EdgeRun> {
  const { url: baseUrl, key: apiKey } = api.ready;
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  const { meters, features } = (await (await fetch(`${baseUrl}/v1/catalog`, { headers })).json()) as {
    meters: object[];
    features: { key: string }[];
  };
  const own = { key: "edge", name: "edge", type: "boolean" };
  const all = [...features.filter(({ key }) => key !== own.key), own];
  const plans = [plan("edge_lite", []), plan("edge_full", [{ feature: own.key }])];
  const body = JSON.stringify({ meters, features: all, plans });
  const published = await fetch(`${baseUrl}/v1/catalog`, { method: "PUT", headers, body });
  if (!published.ok) throw new Error(await published.text());
  const owner = postgres(server.ownerUrl, { max: 1, onnotice: () => {} });
  const ids = Array.from({ length: followers }, (_, number) => customerId(number));
  await subscribe(owner, ids);
  const held = ids.map((customer) => openEntitlements({ baseUrl, apiKey, customer }));
  const ready = await Promise.all(held.map((each) => each.ready({ deadlineMs: 60_000 })));
  if (ready.includes(false)) throw new Error("a stream has not brought a snapshot within a minute");
  const localMicros = {
    plain: microsOf(held[0], { feature: "sso" }),
    limited: microsOf(held[0], { feature: "windows", quantity: "3", subject: { region: "eu" } }),
  };
  const took: number[] = [];
  for (let change = 0; change < changes; change++) {
    const place = (change * 7_919) % followers;
    const isFull = Math.floor(change / followers) % 2 === 0;
    took.push(await visibleAfter(owner, ids[place] ?? "", held[place], isFull));
    await delay(Math.random() * 50);
  }
  await Promise.all(held.map((each) => each.close()));
  await owner.end();
  const sorted = took.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return { localMicros, changes, p50: at(0.5), p99: at(0.99), slowest: at(1) };
}

/** Each with a subscription of his own to the plan that gives less. */
async function subscribe(owner: postgres.Sql, ids: readonly string[]): Promise<void> {
  await owner`
    with opened as (
      insert into billing.subscription (id, customer_id, status, started_at, interval_unit, interval_count, time_zone, currency,
        grace_seconds, billed_through)
      select 'edge_' || id, id, 'active', date_trunc('month', now()), 'month', 1, 'UTC', 'usd', 0, date_trunc('month', now())
      from unnest(${[...ids]}::text[]) as id returning id, started_at
    )
    insert into billing.subscription_terms (subscription_id, effective_at, change_id, items, paused)
    select id, started_at, 'open', '[{"planKey": "edge_lite", "planVersion": 1, "seats": 1}]', false from opened`;
}

/** Writes other terms, as a change of plan does, and asks the SDK until it answers by them. */
async function visibleAfter(
  owner: postgres.Sql,
  customer: string,
  held: LocalEntitlements | undefined,
  isFull: boolean,
): Promise<number> {
  const items = JSON.stringify([{ planKey: isFull ? "edge_full" : "edge_lite", planVersion: 1, seats: 1 }]);
  await owner`
    insert into billing.subscription_terms (subscription_id, effective_at, change_id, items, paused)
    values (${`edge_${customer}`}, clock_timestamp(), ${randomUUID()}, ${items}::text::json, false)`;
  const committedAt = performance.now();
  while (held?.check({ feature: "edge" }).allowed !== isFull) {
    if (performance.now() - committedAt > 10_000) throw new Error("a change was not seen within ten seconds");
    await delay(1);
  }
  return performance.now() - committedAt;
}

const rounds = 20;
const checksOfRound = 50_000;

/** The median of rounds: a pause of the machine is not what a check takes. */
function microsOf(held: LocalEntitlements | undefined, question: LocalQuestion): number {
  if (held === undefined) throw new Error("nobody is followed");
  const micros = Array.from({ length: rounds }, () => {
    const begun = performance.now();
    for (let check = 0; check < checksOfRound; check++) {
      const { allowed, basis } = held.check(question);
      if (!allowed || basis !== "current") throw new Error("what is given is allowed by what is current");
    }
    return ((performance.now() - begun) * 1_000) / checksOfRound;
  });
  const sorted = micros.toSorted((one, other) => one - other);
  return Math.round((sorted[rounds / 2] ?? 0) * 1_000) / 1_000;
}
