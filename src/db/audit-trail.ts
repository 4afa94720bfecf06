import { and, asc, desc, eq, gte, inArray, lt, or, type SQL, sql } from "drizzle-orm";
import type { Instant } from "../domain/calendar/index.ts";
import type { Tx } from "./database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "./page.ts";
import { auditChange, auditEvent } from "./schema/audit.ts";

/** One request that changed something, with the rows that it changed, in the order in which it did. */
export type AuditEvent = Omit<typeof auditEvent.$inferSelect, "recordedAt"> & {
  readonly changes: readonly AuditChange[];
};

export interface AuditChange {
  /** Schema and table. */
  readonly relation: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly customer?: string | undefined;
  readonly resource?: string | undefined;
  readonly from?: Instant | undefined;
  readonly to?: Instant | undefined;
  /** Some of the text of path, reason, operation or actor. */
  readonly search?: string | undefined;
}

/** A page of the trail, the newest first. */
export async function listAuditEvents(
  tx: Tx,
  filter: AuditFilter,
  page: PageRequest<NewestFirst>,
): Promise<Page<AuditEvent, NewestFirst>> {
  const found = await tx
    .select()
    .from(auditEvent)
    .where(and(...conditionsOf(filter), olderThan(auditEvent.at, auditEvent.id, page.after)))
    .orderBy(desc(auditEvent.at), desc(auditEvent.id))
    .limit(rowsToRead(page));
  const { items, next } = pageOf(found, page, ({ at, id }) => ({ at, id }));
  return { items: await withChanges(tx, items), next };
}

export async function findAuditEvent(tx: Tx, id: string): Promise<AuditEvent | undefined> {
  const found = await tx.select().from(auditEvent).where(eq(auditEvent.id, id));
  return (await withChanges(tx, found))[0];
}

const piece = 500;

/** All of the trail that fits, the newest first, in pieces. */
export async function* readAuditTrail(tx: Tx, filter: AuditFilter): AsyncGenerator<readonly AuditEvent[]> {
  let after: NewestFirst | undefined;
  do {
    const page: Page<AuditEvent, NewestFirst> = await listAuditEvents(tx, filter, { limit: piece, after });
    yield page.items;
    after = page.next;
  } while (after !== undefined);
}

function conditionsOf({ actor, customer, resource, from, to, search }: AuditFilter): (SQL | undefined)[] {
  const text = search === undefined ? undefined : `%${search.replace(/[\\%_]/g, "\\$&")}%`;
  const { path, reason, operation } = auditEvent;
  return [
    actor === undefined ? undefined : eq(auditEvent.actor, actor),
    customer === undefined ? undefined : eq(auditEvent.customerId, customer),
    resource === undefined ? undefined : eq(auditEvent.resource, resource),
    from === undefined ? undefined : gte(auditEvent.at, from),
    to === undefined ? undefined : lt(auditEvent.at, to),
    text && or(...[path, reason, operation, auditEvent.actor].map((column) => sql`${column} ilike ${text}`)),
  ].map((condition) => condition || undefined);
}

async function withChanges(
  tx: Tx,
  events: readonly (typeof auditEvent.$inferSelect)[],
): Promise<AuditEvent[]> {
  if (events.length === 0) return [];
  const ids = events.map(({ id }) => id);
  const changes = await tx
    .select()
    .from(auditChange)
    .where(inArray(auditChange.auditEventId, ids))
    .orderBy(asc(auditChange.auditEventId), asc(auditChange.position));
  const byEvent = Map.groupBy(changes, ({ auditEventId }) => auditEventId);
  return events.map(({ recordedAt: _written, ...event }) => ({
    ...event,
    changes: (byEvent.get(event.id) ?? []).map(({ relation, before, after }) => ({
      relation,
      before,
      after,
    })),
  }));
}
