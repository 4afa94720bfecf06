import { and, eq } from "drizzle-orm";
import type { BookedAdjustment } from "../../domain/invoicing/index.ts";
import { money, storedDecimal } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { ratedAdjustment } from "../schema/pricing.ts";
import type { RunToStore, StoredRun } from "./rating-runs.ts";

/** What adjustments came to in a run, as the table has it. */
export function adjustmentRows({
  subscriptionId,
  period: { start: periodStart },
  revision,
  adjusted,
}: RunToStore): (typeof ratedAdjustment.$inferInsert)[] {
  return adjusted.map(({ period, exactMinor, amount, earning, ...part }) => ({
    subscriptionId,
    periodStart,
    revision,
    planKey: part.planKey,
    planVersion: part.planVersion,
    adjustmentKey: part.adjustmentKey,
    charge: part.charge,
    kind: part.kind,
    priceKey: part.priceKey,
    product: part.product,
    earning: earning === "earned" ? ("earned" as const) : ("unbilled" as const),
    termsStart: period.start,
    termsEnd: period.end,
    exactMinor: exactMinor.text,
    amountMinor: amount.amountMinor,
  }));
}

/** What adjustments came to in a run, part by part. */
export async function bookedAdjustments(
  tx: Tx,
  { subscriptionId, periodStart, revision }: StoredRun,
  currency: string,
): Promise<BookedAdjustment[]> {
  const found = await tx
    .select()
    .from(ratedAdjustment)
    .where(
      and(
        eq(ratedAdjustment.subscriptionId, subscriptionId),
        eq(ratedAdjustment.periodStart, periodStart),
        eq(ratedAdjustment.revision, revision),
      ),
    )
    .orderBy(ratedAdjustment.planKey, ratedAdjustment.adjustmentKey, ratedAdjustment.charge);
  return found.map(({ termsStart, termsEnd, exactMinor, amountMinor, ...row }) => ({
    planKey: row.planKey,
    planVersion: row.planVersion,
    adjustmentKey: row.adjustmentKey,
    charge: row.charge,
    kind: row.kind,
    priceKey: row.priceKey,
    product: row.product,
    earning: row.earning,
    period: { start: termsStart, end: termsEnd },
    exactMinor: storedDecimal(exactMinor),
    amount: money(amountMinor, currency),
  }));
}
