import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { type Database, inTransaction, openDatabase } from "../../src/db/database.ts";
import { correctionInvariants } from "../../src/db/invariants/correction-invariants.ts";
import { usageInvariants } from "../../src/db/invariants/usage-invariants.ts";
import { foldUsage } from "../../src/db/usage/folding.ts";
import type { StoredMeter } from "../../src/db/usage/meters-in-force.ts";
import { type IngestOutcome, ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import type { Meter, UsageEvent } from "../../src/domain/metering/index.ts";
import { cloneDatabase } from "../support/postgres.ts";

/** Three ways to read one event: how many, how many tokens, the largest. */
const definitions: readonly Meter[] = [
  { key: "requests", eventType: "request", aggregation: "count", dimensions: ["model"] },
  {
    key: "tokens",
    eventType: "request",
    aggregation: "sum",
    property: "tokens",
    dimensions: ["model", "class"],
  },
  { key: "longest", eventType: "request", aggregation: "max", property: "tokens", dimensions: ["model"] },
];

/** As they are published in a database of their own. */
export const meters: readonly StoredMeter[] = definitions.map((definition, index) => ({
  ...definition,
  number: index + 1,
  version: 1,
  publishedAt: instant("2020-01-01T00:00:00Z"),
}));

export const meterOf = (key: string): StoredMeter => {
  const found = meters.find((meter) => meter.key === key);
  if (found === undefined) throw new Error(`there is no meter ${key}`);
  return found;
};

/** Publishes definitions of meters, each as the first version of its key. */
export async function publishMeters(
  { sql }: Pick<Database, "sql">,
  published: readonly Meter[] = definitions,
): Promise<void> {
  for (const { key, ...definition } of published) {
    await sql`
      insert into catalog.meter (key, version, definition, created_at)
      values (${key}, 1, ${JSON.stringify({ key, ...definition })}::text::jsonb, '2020-01-01Z')`;
  }
}

/** A request of 10 tokens by acme; say only what matters. */
export function usageEvent(over: Partial<UsageEvent> & { readonly id: string }): UsageEvent {
  return {
    source: "gateway",
    customerId: "acme",
    type: "request",
    time: instant("2026-01-15T10:30:00Z"),
    data: { model: "large", class: "input", tokens: 10 },
    ...over,
  };
}

export interface UsageFixture {
  readonly appUrl: string;
  /** As the application is connected. */
  readonly db: Database;
  /** As the role that owns the schema. */
  readonly owner: Database;
  close(): Promise<void>;
}

/** A database of its own with the customer acme. */
export async function openUsage({
  poolSize = 4,
}: {
  readonly poolSize?: number;
} = {}): Promise<UsageFixture> {
  const { appUrl, ownerUrl, drop } = await cloneDatabase();
  const db = openDatabase({ url: appUrl, poolSize });
  const owner = openDatabase({ url: ownerUrl, poolSize: 1 });
  await publishMeters(db);
  await addCustomer(db, "acme");
  return {
    appUrl,
    db,
    owner,
    async close() {
      await Promise.all([db.close(), owner.close()]);
      await drop();
    },
  };
}

export async function addCustomer(
  { sql }: Pick<Database, "sql">,
  id: string,
  testClockId: string | null = null,
): Promise<void> {
  await sql`
    insert into billing.customer (id, name, email, currency, time_zone, created_at, test_clock_id)
    values (${id}, ${id}, ${`${id}@example.com`}, 'usd', 'UTC', now(), ${testClockId})`;
}

/** The outcomes in short: `accepted`, or the reason when there is one. */
export async function ingest(db: Database, events: readonly UsageEvent[]): Promise<string[]> {
  return (await ingestEvents(db, events, meters)).map(summaryOf);
}

function summaryOf(outcome: IngestOutcome): string {
  if (outcome.status === "invalid") return outcome.refusal.code;
  return outcome.status === "quarantined" ? outcome.reason : outcome.status;
}

/** Until nothing is left; transactions of other tests on the server hold it back. */
export async function foldAll(db: Database): Promise<void> {
  const [now] = await db.sql<[{ xid: string }]>`select pg_current_xact_id()::text as xid`;
  for (;;) {
    await inTransaction(db, foldUsage);
    const [folded] = await db.sql<[{ is_done: boolean }]>`
      select before > ${now.xid}::text::xid8 as is_done from usage.folded`;
    if (folded.is_done) return;
    await delay(5);
  }
}

export async function expectInvariants({ sql }: Database): Promise<void> {
  for (const invariant of [...usageInvariants, ...correctionInvariants]) {
    expect(await sql.unsafe(invariant.sql), invariant.name).toEqual([]);
  }
}
