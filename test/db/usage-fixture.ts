import { expect } from "vitest";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { usageInvariants } from "../../src/db/invariants/usage-invariants.ts";
import { type IngestOutcome, ingestEvents } from "../../src/db/usage/usage-ingest.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import type { Meter, UsageEvent } from "../../src/domain/metering/index.ts";
import { cloneDatabase } from "../support/postgres.ts";

/** Three ways to read one event: how many, how many tokens, the largest. */
export const meters: readonly Meter[] = [
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

export async function expectInvariants({ sql }: Database): Promise<void> {
  for (const invariant of usageInvariants) {
    expect(await sql.unsafe(invariant.sql), invariant.name).toEqual([]);
  }
}
