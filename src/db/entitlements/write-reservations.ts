import { invariant } from "../../domain/errors.ts";
import { arrayLiteral } from "../array-literal.ts";
import type { Client } from "../renewed-connection.ts";
import type { StoredPayment } from "../schema/reservations.ts";
import { sqlState } from "../sql-state.ts";
import type { MetersInForce } from "../usage/meters-in-force.ts";
import { sendableEvents } from "../usage/usage-ingest.ts";
import {
  type PlacedDraft,
  type PlacedRow,
  type PlacementOutcome,
  placementOutcome,
  placingOf,
} from "./place-reservations.ts";
import {
  meteringOf,
  ReservationEventRefusedError,
  type SettlementDraft,
  type SettlementOutcome,
  settlingOf,
} from "./settle-reservations.ts";

/** What is asked of reservations: to set something aside, or to say what became of it. */
export type ReservationWrite =
  | { readonly does: "settle"; readonly draft: SettlementDraft }
  | { readonly does: "place"; readonly draft: PlacedDraft };

export type WriteOutcome = SettlementOutcome | PlacementOutcome;

interface WrittenRow extends Omit<PlacedRow, "status"> {
  readonly status: SettlementOutcome["status"] & PlacedRow["status"];
  readonly paid: readonly StoredPayment[] | null;
  readonly outdated: readonly string[] | null;
}

/**
 * Settles, then places, in one statement and one commit: receipts with the usage events behind them, so that a request is metered,
 * and billed, exactly when there is a receipt for it; and what is given back is there for who asks. What was planned by something that has
 * changed is answered with `outdated`, and does not keep the others.
 * @param writes with different ids among either
 * @throws ReservationEventRefusedError, or RK016 when other meters are in force: then nothing was written
 */
export async function writeReservations(
  sql: Client,
  writes: readonly ReservationWrite[],
  { meters, published }: MetersInForce,
): Promise<WriteOutcome[]> {
  const outdated = new Set<string>();
  for (;;) {
    const isCurrent = (write: ReservationWrite) =>
      [...revisionsOf(write).keys()].every((id) => !outdated.has(id));
    const current = writes.filter(isCurrent);
    const written = await writeCurrent(sql, current, { meters, published });
    if (!("outdated" in written)) {
      const outcomeOf = new Map(current.map((write, index) => [write, written[index]]));
      return writes.map((write) => outcomeOf.get(write) ?? { status: "outdated", payments: [] });
    }
    for (const id of written.outdated) outdated.add(id);
  }
}

const revisionsOf = (write: ReservationWrite): ReadonlyMap<string, bigint> =>
  write.does === "settle" ? write.draft.revisions : write.draft.path.revisions;

async function writeCurrent(
  sql: Client,
  writes: readonly ReservationWrite[],
  { meters, published }: MetersInForce,
): Promise<WriteOutcome[] | { readonly outdated: readonly string[] }> {
  if (writes.length === 0) return [];
  const settling = writes.flatMap((write) => (write.does === "settle" ? [write.draft] : []));
  const placing = writes.flatMap((write) => (write.does === "place" ? [write.draft] : []));
  const revisions = new Map(writes.flatMap((write) => [...revisionsOf(write)]));
  const events = await sendableEvents(
    { sql },
    settling.flatMap(({ event }) => event ?? []),
    meters,
  );
  const rows = await sql<WrittenRow[]>`
    select * from billing.write_reservations(
      ${arrayLiteral([...revisions.keys()])}::text::text[], ${arrayLiteral([...revisions.values()].map(String))}::text::int8[],
      ${settlingOf(sql, settling, events)}, ${meteringOf(sql, events, published)}, ${placingOf(sql, placing)}
    )`.catch((error: unknown) => {
    if (sqlState(error) !== eventRefused) throw error;
    throw new ReservationEventRefusedError((error as Error).message);
  });
  const [first] = rows;
  if (first?.outdated != null) return { outdated: first.outdated };
  invariant(rows.length === writes.length, "every request has an outcome");
  const settled = rows.slice(0, settling.length).values();
  const placed = rows.slice(settling.length).values();
  return writes.map((write) => {
    const row = (write.does === "settle" ? settled : placed).next().value as WrittenRow;
    if (write.does === "place") return placementOutcome(write.draft, row);
    return { status: row.status, payments: row.paid ?? [] };
  });
}

const eventRefused = "RK054";
