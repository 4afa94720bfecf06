import { and, desc, eq, inArray, isNull } from "drizzle-orm";
import { type Instant, isoOf } from "../domain/calendar/index.ts";
import { sql, type Tx } from "./database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "./page.ts";
import { apiKey, type Scope } from "./schema/access.ts";

export type { Scope };

/** A key as it is kept: without its secret. */
export type ApiKey = typeof apiKey.$inferSelect;

/** The keys whose secrets start so, by prefix; nearly always one each. The caller compares the hashes. */
export async function apiKeysByPrefix(tx: Tx, prefixes: readonly string[]): Promise<Map<string, ApiKey[]>> {
  const found = await tx
    .select()
    .from(apiKey)
    .where(inArray(apiKey.prefix, [...prefixes]));
  return Map.groupBy(found, ({ prefix }) => prefix);
}

export async function findApiKey(tx: Tx, id: string): Promise<ApiKey | undefined> {
  const [found] = await tx.select().from(apiKey).where(eq(apiKey.id, id));
  return found;
}

/** Stores a new key. False: a key with this id or this secret is there already, and stays as it is. */
export async function insertApiKey(
  tx: Tx,
  key: Omit<typeof apiKey.$inferInsert, "revokedAt" | "lastUsedAt">,
): Promise<boolean> {
  const inserted = await tx.insert(apiKey).values(key).onConflictDoNothing().returning({ id: apiKey.id });
  return inserted.length > 0;
}

export async function listApiKeys(
  tx: Tx,
  page: PageRequest<NewestFirst>,
): Promise<Page<ApiKey, NewestFirst>> {
  const found = await tx
    .select()
    .from(apiKey)
    .where(olderThan(apiKey.createdAt, apiKey.id, page.after))
    .orderBy(desc(apiKey.createdAt), desc(apiKey.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ createdAt, id }) => ({ at: createdAt, id }));
}

/** Takes a key away from now on; the first time counts. Gives the key, or undefined when there is none. */
export async function revokeApiKey(tx: Tx, id: string, at: Instant): Promise<ApiKey | undefined> {
  await tx
    .update(apiKey)
    .set({ revokedAt: at })
    .where(and(eq(apiKey.id, id), isNull(apiKey.revokedAt)));
  return findApiKey(tx, id);
}

/** Lets a key's end come nearer: it is replaced by another one, and works beside that until then. */
export async function endApiKeyAt(tx: Tx, id: string, at: Instant): Promise<void> {
  await tx
    .update(apiKey)
    .set({ expiresAt: at })
    .where(
      and(
        eq(apiKey.id, id),
        sql`(${apiKey.expiresAt} is null or ${apiKey.expiresAt} > ${isoOf(at)}::timestamptz)`,
      ),
    );
}

/** Says that a key was let in. */
export async function touchApiKey(tx: Tx, id: string, at: Instant): Promise<void> {
  await tx
    .update(apiKey)
    .set({ lastUsedAt: at })
    .where(and(eq(apiKey.id, id), sql`coalesce(${apiKey.lastUsedAt} < ${isoOf(at)}::timestamptz, true)`));
}

const bootstrapIdStart = "key_bootstrap_";

/**
 * Lets the configured first key in, and takes earlier ones away: a rotated secret must stop working.
 * False when this very secret was revoked before; that stays so.
 */
export async function admitBootstrapKey(
  tx: Tx,
  { prefix, secretHash, at }: { prefix: string; secretHash: Uint8Array; at: Instant },
): Promise<boolean> {
  const id = bootstrapIdStart + Buffer.from(secretHash).toString("hex").slice(0, 16);
  const scopes: Scope[] = ["admin"];
  await insertApiKey(tx, {
    id,
    prefix,
    secretHash,
    name: "bootstrap",
    scopes,
    createdAt: at,
    expiresAt: null,
  });
  const [admitted] = await tx.select().from(apiKey).where(eq(apiKey.secretHash, secretHash));
  // A key that is refused must not take the one in force away.
  if (admitted === undefined || admitted.revokedAt !== null) return false;
  await tx.execute(sql`update access.api_key set revoked_at = ${isoOf(at)}::timestamptz
    where starts_with(id, ${bootstrapIdStart}) and secret_hash <> ${secretHash} and revoked_at is null`);
  return true;
}
