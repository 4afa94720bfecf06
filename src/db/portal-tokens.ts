import { and, eq, isNull, sql } from "drizzle-orm";
import type { Instant } from "../domain/calendar/index.ts";
import { rows, type Tx } from "./database.ts";
import { portalToken } from "./schema/access.ts";

/** Opens what is one customer's, for a short time. */
export type PortalToken = Omit<typeof portalToken.$inferSelect, "secretHash">;

const shown = {
  id: portalToken.id,
  customerId: portalToken.customerId,
  createdBy: portalToken.createdBy,
  createdAt: portalToken.createdAt,
  expiresAt: portalToken.expiresAt,
  revokedAt: portalToken.revokedAt,
};

/** Stores a new token. False: it is there already, and stays as it is. */
export async function insertPortalToken(tx: Tx, token: typeof portalToken.$inferInsert): Promise<boolean> {
  const inserted = await tx
    .insert(portalToken)
    .values(token)
    .onConflictDoNothing()
    .returning({ id: portalToken.id });
  return inserted.length > 0;
}

export async function findPortalToken(tx: Tx, id: string): Promise<PortalToken | undefined> {
  const [found] = await tx.select(shown).from(portalToken).where(eq(portalToken.id, id));
  return found;
}

export async function portalTokenBehind(tx: Tx, secretHash: Uint8Array): Promise<PortalToken | undefined> {
  const [found] = await tx.select(shown).from(portalToken).where(eq(portalToken.secretHash, secretHash));
  return found;
}

/** Takes a token away; the first time counts. */
export async function revokePortalToken(tx: Tx, id: string, at: Instant): Promise<PortalToken | undefined> {
  await tx
    .update(portalToken)
    .set({ revokedAt: at })
    .where(and(eq(portalToken.id, id), isNull(portalToken.revokedAt)));
  return findPortalToken(tx, id);
}

/** What belongs to a customer and has an id of its own in paths. */
const ownerQueries = {
  customers: (id: string) => sql`select id as owner from billing.customer where id = ${id}`,
  invoices: (id: string) => sql`select customer_id as owner from billing.invoice where id = ${id}`,
  subscriptions: (id: string) => sql`select customer_id as owner from billing.subscription where id = ${id}`,
  "credit-grants": (id: string) =>
    sql`select customer_id as owner from billing.credit_grant where id = ${id}`,
  "credit-notes": (id: string) =>
    sql`select invoice.customer_id as owner from billing.credit_note_request as note
        join billing.invoice on invoice.id = note.invoice_id where note.id = ${id}`,
};

export type OwnedCollection = keyof typeof ownerQueries;

export const isOwnedCollection = (text: string): text is OwnedCollection => Object.hasOwn(ownerQueries, text);

/** Whose something is; undefined when it is not there. */
export async function ownerOf(tx: Tx, collection: OwnedCollection, id: string): Promise<string | undefined> {
  const [found] = await rows<{ owner: string }>(tx, ownerQueries[collection](id));
  return found?.owner;
}
