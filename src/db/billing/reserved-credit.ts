import { type Instant, isoOf, type Period } from "../../domain/calendar/index.ts";
import type { ReservedCredit } from "../../domain/invoicing/index.ts";
import { ledgerAmount } from "../../domain/money/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import { rows, sql, type Tx } from "../database.ts";
import type { Snapshot } from "../usage/usage-reads.ts";
import type { StoredSubscription } from "./subscriptions.ts";

interface FoundRow {
  readonly plan_key: string;
  readonly plan_version: number;
  readonly price_key: string;
  readonly grant_id: string;
  readonly amount: string;
  readonly released: string;
}

/**
 * What receipts of periods were paid with and no invoice has drawn: exactly those whose usage a billing has seen.
 * @param snapshot of that billing
 */
export async function reservedCredit(
  tx: Tx,
  { id, customerId }: Pick<StoredSubscription, "id" | "customerId">,
  periods: readonly Period[],
  snapshot: Snapshot,
): Promise<ReservedCredit[]> {
  const found: ReservedCredit[] = [];
  for (const period of periods) {
    const drawn = await rows<FoundRow>(
      tx,
      sql`select plan_key, plan_version, price_key, grant_id, amount::numeric(38, 0)::text, released::numeric(38, 0)::text
        from billing.reserved_draws(${id}, ${customerId}, ${isoOf(period.start)}::timestamptz, ${isoOf(period.end)}::timestamptz,
          ${snapshot}::pg_snapshot)`,
    );
    found.push(
      ...drawn.map((row) => ({
        ...{ period, planKey: row.plan_key, planVersion: row.plan_version, priceKey: row.price_key },
        grantId: row.grant_id,
        amount: ledgerAmount(BigInt(row.amount)),
        released: ledgerAmount(BigInt(row.released)),
      })),
    );
  }
  return found;
}

/** Gives back to grants what receipts had set aside, just before the caller's transaction draws it. @param revisionOf the run that bills a period */
export async function billReserved(
  tx: Tx,
  subscriptionId: string,
  reserved: readonly ReservedCredit[],
  { at, revisionOf }: { readonly at: Instant; readonly revisionOf: (period: Period) => number },
): Promise<void> {
  if (reserved.length === 0) return;
  const list = (textOf: (credit: ReservedCredit) => string) => arrayLiteral(reserved.map(textOf));
  await tx.execute(sql`select billing.bill_reserved_draws(${subscriptionId},
    ${list(({ period }) => isoOf(period.start))}::text::timestamptz[],
    ${list(({ period }) => `${revisionOf(period)}`)}::text::int4[],
    ${list(({ planKey }) => planKey)}::text::text[], ${list(({ planVersion }) => `${planVersion}`)}::text::int4[],
    ${list(({ priceKey }) => priceKey)}::text::text[], ${list(({ grantId }) => grantId)}::text::text[],
    ${list(({ amount }) => `${amount}`)}::text::numeric[], ${list(({ released }) => `${released}`)}::text::numeric[],
    ${isoOf(at)}::timestamptz)`);
}
