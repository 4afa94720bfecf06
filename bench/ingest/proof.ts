import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import type { IngestUnderTest } from "./ingest-under-test.ts";

/** What the answers said, what was made, and what is stored: the same numbers, or the benchmark fails. */
export interface Proof {
  /** As the answers said, events by the generator and those to see when they are visible. */
  readonly accepted: number;
  readonly stored: number;
  readonly conflicting: number;
  readonly quarantined: number;
  /** Of each meter, from all windows. */
  readonly windows: readonly { readonly meter: string; readonly events: number; readonly quantity: string }[];
}

/** @throws when a number is not what it must be */
export async function proveIngest(ingest: IngestUnderTest, probes: number): Promise<Proof> {
  const sql = postgres(ingest.server.appUrl, { max: 1 });
  try {
    const [row] = await sql<[{ stored: string; conflicting: string; quarantined: string }]>`
      select (select count(*) from usage.event) as stored, (select count(*) from usage.event_conflict) as conflicting,
        (select count(*) from usage.quarantined_event) as quarantined`;
    await untilFolded(sql);
    const found = await sql<{ meter: string; events: string; quantity: string }[]>`
      select key as meter, sum(count) as events, sum(sum) as quantity
      from usage.window join catalog.meter on number = meter where size = 'hour' group by 1 order by 1`;
    const windows = found.map(({ meter, events, quantity }) => ({ meter, events: Number(events), quantity }));
    const accepted = ingest.accepted() + probes;
    const proof = {
      accepted,
      stored: Number(row.stored),
      conflicting: Number(row.conflicting),
      quarantined: Number(row.quarantined),
      windows,
    };
    const isTrue =
      proof.stored === accepted &&
      proof.conflicting + proof.quarantined === 0 &&
      windows.length === 2 &&
      windows.every(({ events }) => events === accepted) &&
      windows[0]?.quantity === String(inputTokens(ingest) + probes);
    if (!isTrue) throw new Error(`what was accepted is not what is stored: ${JSON.stringify(proof)}`);
    return proof;
  } finally {
    await sql.end();
  }
}

async function untilFolded(sql: postgres.Sql): Promise<void> {
  for (;;) {
    const [row] = await sql<[{ is_done: boolean }]>`
      select not exists (select from usage.event where recorded_xid >= (select before from usage.folded)) as is_done`;
    if (row.is_done) return;
    await delay(100);
  }
}

function inputTokens({ events, accepted }: IngestUnderTest): number {
  let sum = 0;
  for (let index = 0; index < accepted(); index++) sum += events.inputTokensOf(index);
  return sum;
}
