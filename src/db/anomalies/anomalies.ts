import { createHash } from "node:crypto";
import { and, asc, desc, eq } from "drizzle-orm";
import type { AnomalyKind, AnomalyRule, AnomalyState } from "../../domain/anomalies/index.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import type { Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { anomaly, anomalyNote, anomalyRule } from "../schema/anomalies.ts";

export type StoredAnomaly = typeof anomaly.$inferSelect;
export type StoredNote = typeof anomalyNote.$inferSelect;
export type StoredRule = typeof anomalyRule.$inferSelect;

/** What is looked for, and by what measure. */
export const anomalyRules = async (tx: Tx): Promise<StoredRule[]> =>
  await tx.select().from(anomalyRule).orderBy(asc(anomalyRule.kind));

/** Changes a rule: what is found from now on is found by it. Undefined where there is no such kind. */
export async function changeRule(
  tx: Tx,
  rule: AnomalyRule & { readonly changedBy: string; readonly changedAt: Instant },
): Promise<StoredRule | undefined> {
  const { kind, ...change } = rule;
  const [stored] = await tx.update(anomalyRule).set(change).where(eq(anomalyRule.kind, kind)).returning();
  return stored;
}

export type NewAnomaly = Pick<
  StoredAnomaly,
  "kind" | "key" | "customerId" | "subjectType" | "subjectId" | "evidence" | "foundAt"
>;

/** Opens cases, each once for ever. Gives how many are new. */
export async function openAnomalies(tx: Tx, found: readonly NewAnomaly[]): Promise<number> {
  if (found.length === 0) return 0;
  const opened = found.map((each) => ({ ...each, id: anomalyIdOf(each.key), changedAt: each.foundAt }));
  const inserted = await tx
    .insert(anomaly)
    .values(opened)
    .onConflictDoNothing()
    .returning({ id: anomaly.id });
  return inserted.length;
}

const anomalyIdOf = (key: string): string =>
  `ano_${createHash("sha256").update(key).digest("hex").slice(0, 24)}`;

export interface AnomalyFilter {
  readonly kind?: AnomalyKind | undefined;
  readonly state?: AnomalyState | undefined;
  readonly customerId?: string | undefined;
}

export async function listAnomalies(
  tx: Tx,
  { kind, state, customerId }: AnomalyFilter,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredAnomaly, NewestFirst>> {
  const found = await tx
    .select()
    .from(anomaly)
    .where(
      and(
        kind === undefined ? undefined : eq(anomaly.kind, kind),
        state === undefined ? undefined : eq(anomaly.state, state),
        customerId === undefined ? undefined : eq(anomaly.customerId, customerId),
        olderThan(anomaly.foundAt, anomaly.id, page.after),
      ),
    )
    .orderBy(desc(anomaly.foundAt), desc(anomaly.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ foundAt, id }) => ({ at: foundAt, id }));
}

export async function findAnomaly(tx: Tx, id: string): Promise<StoredAnomaly | undefined> {
  const [found] = await tx.select().from(anomaly).where(eq(anomaly.id, id));
  return found;
}

/** What was done about a case, the oldest first. */
export const notesOf = async (tx: Tx, id: string): Promise<StoredNote[]> =>
  await tx
    .select()
    .from(anomalyNote)
    .where(eq(anomalyNote.anomalyId, id))
    .orderBy(asc(anomalyNote.notedAt), asc(anomalyNote.id));

/** Writes down what somebody did about a case, once for each id, and the state and owner that it has from then on. */
export async function noteAnomaly(tx: Tx, note: StoredNote): Promise<void> {
  const [isNew] = await tx
    .insert(anomalyNote)
    .values(note)
    .onConflictDoNothing()
    .returning({ id: anomalyNote.id });
  if (isNew === undefined) return;
  const change = {
    changedAt: note.notedAt,
    ...(note.state === null ? {} : { state: note.state }),
    ...(note.owner === null ? {} : { owner: note.owner }),
  };
  await tx.update(anomaly).set(change).where(eq(anomaly.id, note.anomalyId));
}
