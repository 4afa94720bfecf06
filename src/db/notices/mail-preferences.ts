import { eq } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { NoticeKind } from "../../domain/notices/index.ts";
import type { Tx } from "../database.ts";
import { mailPreference } from "../schema/notices.ts";

/** The kinds of which a customer wants no e-mail; none as long as nobody has said so. */
export async function suppressedKindsOf(tx: Tx, customerId: string): Promise<readonly NoticeKind[]> {
  const [row] = await tx.select().from(mailPreference).where(eq(mailPreference.customerId, customerId));
  return row?.suppressedKinds ?? [];
}

/** Says of which kinds a customer wants no e-mail from now on. */
export async function suppressKinds(
  tx: Tx,
  customerId: string,
  kinds: readonly NoticeKind[],
  at: Instant,
): Promise<void> {
  const preference = { suppressedKinds: [...kinds], changedAt: at };
  await tx
    .insert(mailPreference)
    .values({ customerId, ...preference })
    .onConflictDoUpdate({ target: mailPreference.customerId, set: preference });
}
