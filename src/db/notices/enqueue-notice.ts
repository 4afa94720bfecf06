import { createHash } from "node:crypto";
import type { NoticeKind, NoticeToTell } from "../../domain/notices/index.ts";
import { askedTogether } from "../asked-together.ts";
import { sql, type Tx } from "../database.ts";
import { insertOf } from "../insert-rows.ts";
import { notice } from "../schema/notices.ts";

/** A notice's id is made from its key: whoever tells the same fact again comes to the same one. */
export function noticeIdOf(key: string): string {
  return `ntc_${createHash("sha256").update(key).digest("hex").slice(0, 24)}`;
}

/**
 * Says that something is to be told, in the transaction of the fact itself: both are written or neither. The same key again
 * changes nothing. Nothing is sent from here; the notice delivery of a worker does that.
 */
export async function enqueueNotice<Kind extends NoticeKind>(
  tx: Tx,
  toTell: NoticeToTell<Kind>,
): Promise<void> {
  await insertNotice(tx, { id: noticeIdOf(toTell.key), ...toTell });
}

/** What is told in one transaction at once, of whomever, is written by one statement. */
const insertNotice = askedTogether(async (tx: Tx, toTell: readonly (typeof notice.$inferInsert)[]) => {
  await tx.execute(sql`${insertOf(notice, toTell)} on conflict do nothing`);
  return toTell.map(() => undefined);
});
