import { createHash } from "node:crypto";
import { eq } from "drizzle-orm";
import type { PriceOverride } from "../../domain/catalog/index.ts";
import { invariant } from "../../domain/errors.ts";
import { canonicalJson, type JsonValue } from "../../domain/metering/index.ts";
import type { Tx } from "../database.ts";
import { priceAgreement } from "../schema/pricing.ts";

/** Writes down what a contract says instead of a plan's prices, once; answers with the fingerprint that names it. */
export async function keepAgreement(tx: Tx, overrides: readonly PriceOverride[]): Promise<string> {
  const fingerprint = createHash("sha256")
    .update(canonicalJson(overrides as JsonValue))
    .digest("hex");
  await tx
    .insert(priceAgreement)
    .values({ fingerprint, overrides: [...overrides] })
    .onConflictDoNothing();
  return fingerprint;
}

/** What {@link keepAgreement} wrote down, where an agreement is named: whoever names it was told of it after that. */
export async function agreedOverrides(
  tx: Tx,
  fingerprint: string | undefined,
): Promise<{ readonly overrides?: readonly PriceOverride[] }> {
  if (fingerprint === undefined) return {};
  const [row] = await tx.select().from(priceAgreement).where(eq(priceAgreement.fingerprint, fingerprint));
  invariant(row, `the price agreement ${fingerprint} was written down before it was named`);
  return { overrides: row.overrides };
}
