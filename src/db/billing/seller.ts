import { desc, eq } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { SellerDetails } from "../../domain/invoicing/document/index.ts";
import { sql, type Tx } from "../database.ts";
import { seller } from "../schema/invoice-documents.ts";

export type StoredSeller = typeof seller.$inferSelect;

/** Who sells now; undefined as long as nobody said. */
export async function currentSeller(tx: Tx): Promise<StoredSeller | undefined> {
  const [row] = await tx.select().from(seller).orderBy(desc(seller.version)).limit(1);
  return row;
}

/** As an invoice names it. */
export async function sellerVersion(tx: Tx, version: number | null): Promise<StoredSeller | undefined> {
  if (version === null) return undefined;
  const [row] = await tx.select().from(seller).where(eq(seller.version, version));
  return row;
}

/** Says who sells from now on; documents that are issued keep what they say. */
export async function setSeller(
  tx: Tx,
  details: SellerDetails,
  by: { readonly setBy: string; readonly setAt: Instant },
): Promise<StoredSeller> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended('seller', 0))`);
  const version = ((await currentSeller(tx))?.version ?? 0) + 1;
  const row = { version, details, ...by };
  await tx.insert(seller).values(row);
  return row;
}
