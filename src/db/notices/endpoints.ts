import { and, desc, eq, isNull, ne, sql } from "drizzle-orm";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { failingMsMax } from "../../domain/notices/index.ts";
import type { Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { endpoint } from "../schema/notices.ts";
import { enqueueNotice } from "./enqueue-notice.ts";

export type StoredEndpoint = typeof endpoint.$inferSelect;

/** Stores an endpoint. False: it is there already, and stays as it is. */
export async function insertEndpoint(
  tx: Tx,
  row: Pick<StoredEndpoint, "id" | "url" | "description" | "kinds" | "createdAt">,
): Promise<boolean> {
  const inserted = await tx
    .insert(endpoint)
    .values({ ...row, state: "enabled" })
    .onConflictDoNothing()
    .returning({ id: endpoint.id });
  return inserted.length > 0;
}

/** One that is not deleted. */
export async function findEndpoint(tx: Tx, id: string): Promise<StoredEndpoint | undefined> {
  const [row] = await tx
    .select()
    .from(endpoint)
    .where(and(eq(endpoint.id, id), ne(endpoint.state, "deleted")));
  return row;
}

export async function listEndpoints(
  tx: Tx,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredEndpoint, NewestFirst>> {
  const found = await tx
    .select()
    .from(endpoint)
    .where(and(ne(endpoint.state, "deleted"), olderThan(endpoint.createdAt, endpoint.id, page.after)))
    .orderBy(desc(endpoint.createdAt), desc(endpoint.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ createdAt, id }) => ({ at: createdAt, id }));
}

/** Changes what is asked for; whoever enables it again forgets how long it had failed. */
export async function changeEndpoint(
  tx: Tx,
  id: string,
  change: Partial<Pick<StoredEndpoint, "url" | "description" | "kinds">> & { readonly enabled?: boolean },
): Promise<StoredEndpoint | undefined> {
  const { enabled, ...rest } = change;
  const state =
    enabled === undefined
      ? {}
      : enabled
        ? { state: "enabled" as const, reason: null, failingSince: null }
        : { state: "disabled" as const, reason: "requested" as const };
  const set = { ...rest, ...state };
  if (Object.keys(set).length === 0) return await findEndpoint(tx, id);
  const [row] = await tx
    .update(endpoint)
    .set(set)
    .where(and(eq(endpoint.id, id), ne(endpoint.state, "deleted")))
    .returning();
  return row;
}

/** Takes an endpoint away for good; what was delivered to it stays known. */
export async function deleteEndpoint(tx: Tx, id: string): Promise<StoredEndpoint | undefined> {
  const [row] = await tx
    .update(endpoint)
    .set({ state: "deleted", reason: "requested" })
    .where(and(eq(endpoint.id, id), ne(endpoint.state, "deleted")))
    .returning();
  return row;
}

/** An attempt has succeeded: whatever failed before is over. */
export async function noteWorking(tx: Tx, id: string): Promise<void> {
  await tx
    .update(endpoint)
    .set({ failingSince: null })
    .where(and(eq(endpoint.id, id), eq(endpoint.state, "enabled"), sql`failing_since is not null`));
}

/** An attempt has failed: when all have for days, or it says that it is gone, the endpoint is disabled, and that is told. */
export async function noteFailing(tx: Tx, id: string, at: Instant, isGone: boolean): Promise<void> {
  await tx
    .update(endpoint)
    .set({ failingSince: at })
    .where(and(eq(endpoint.id, id), eq(endpoint.state, "enabled"), isNull(endpoint.failingSince)));
  const row = await findEndpoint(tx, id);
  if (row?.state !== "enabled" || row.failingSince === null) return;
  if (!isGone && at - row.failingSince < failingMsMax) return;
  const reason = isGone ? "gone" : "failing";
  const disabled = await tx
    .update(endpoint)
    .set({ state: "disabled", reason })
    .where(and(eq(endpoint.id, id), eq(endpoint.state, "enabled")))
    .returning({ id: endpoint.id });
  if (disabled.length === 0) return;
  const failingSince = isoOf(row.failingSince);
  await enqueueNotice(tx, {
    key: `endpoint-disabled/${id}/${failingSince}`,
    kind: "webhook_endpoint.disabled",
    customerId: null,
    subject: { endpointId: id, reason, failingSince },
    occurredAt: at,
  });
}
