import { and, desc, eq, gt, isNull, sql } from "drizzle-orm";
import type { Instant } from "../domain/calendar/index.ts";
import type { Tx } from "./database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "./page.ts";
import { person, session } from "./schema/access.ts";
import { timestamp } from "./timestamp.ts";

/** Somebody who signs in, as their provider last described them. */
export type Person = typeof person.$inferSelect;
export type Session = Omit<typeof session.$inferSelect, "secretHash">;

const shownSession = {
  id: session.id,
  personId: session.personId,
  createdAt: session.createdAt,
  usedAt: session.usedAt,
  expiresAt: session.expiresAt,
  endedAt: session.endedAt,
};

/** Keeps what a provider says of somebody who signs in now, whether they are new or not. */
export async function keepPerson(
  tx: Tx,
  { name, email, roles, signedInAt, ...fixed }: typeof person.$inferInsert,
): Promise<Person> {
  const said = { name, email: email ?? null, roles, signedInAt };
  const [kept] = await tx
    .insert(person)
    .values({ ...fixed, ...said })
    .onConflictDoUpdate({ target: [person.issuer, person.subject], set: said })
    .returning();
  if (kept === undefined) throw new Error("an upsert gives its row");
  return kept;
}

export async function listPeople(tx: Tx, page: PageRequest<NewestFirst>): Promise<Page<Person, NewestFirst>> {
  const found = await tx
    .select()
    .from(person)
    .where(olderThan(person.createdAt, person.id, page.after))
    .orderBy(desc(person.createdAt), desc(person.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ createdAt, id }) => ({ at: createdAt, id }));
}

export async function findPerson(tx: Tx, id: string): Promise<Person | undefined> {
  const [found] = await tx.select().from(person).where(eq(person.id, id));
  return found;
}

export async function insertSession(tx: Tx, opened: typeof session.$inferInsert): Promise<void> {
  await tx.insert(session).values(opened);
}

/** The session with this secret and whose it is, ended or not. */
export async function sessionBehind(
  tx: Tx,
  secretHash: Uint8Array,
): Promise<{ readonly session: Session; readonly person: Person } | undefined> {
  const [found] = await tx
    .select({ session: shownSession, person })
    .from(session)
    .innerJoin(person, eq(person.id, session.personId))
    .where(eq(session.secretHash, secretHash));
  return found;
}

/** Says that a session is in use. */
export async function touchSession(tx: Tx, id: string, at: Instant): Promise<void> {
  await tx
    .update(session)
    .set({ usedAt: at })
    .where(and(eq(session.id, id), sql`${session.usedAt} < ${timestamp(at)}`));
}

/** Ends one session of somebody, or all of them; those that have ended stay as they are. Gives how many it ended. */
export async function endSessions(
  tx: Tx,
  { personId, sessionId }: { readonly personId?: string; readonly sessionId?: string },
  at: Instant,
): Promise<number> {
  const ended = await tx
    .update(session)
    .set({ endedAt: at })
    .where(
      and(
        isNull(session.endedAt),
        personId === undefined ? undefined : eq(session.personId, personId),
        sessionId === undefined ? undefined : eq(session.id, sessionId),
      ),
    )
    .returning({ id: session.id });
  return ended.length;
}

/** The sessions of somebody that have not ended, the newest first; at most a hundred. */
export async function openSessions(tx: Tx, personId: string, at: Instant): Promise<Session[]> {
  return await tx
    .select(shownSession)
    .from(session)
    .where(and(eq(session.personId, personId), isNull(session.endedAt), gt(session.expiresAt, at)))
    .orderBy(desc(session.createdAt), desc(session.id))
    .limit(100);
}
