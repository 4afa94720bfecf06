import { and, eq } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { BookedAdjustment, RatedAdjustment } from "../../domain/invoicing/index.ts";
import { money, storedDecimal } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { insertRows } from "../insert-rows.ts";
import { ratedAdjustment } from "../schema/pricing.ts";
import type { StoredRun } from "./rating-runs.ts";

/** A run, by what names it. */
interface RunKey {
  readonly subscriptionId: string;
  readonly periodStart: Instant;
  readonly revision: number;
}

/** Stores what adjustments came to in a run, which is stored already. */
export async function insertAdjustments(
  tx: Tx,
  { subscriptionId, periodStart, revision }: RunKey,
  adjusted: readonly RatedAdjustment[],
): Promise<void> {
  await insertRows(
    tx,
    ratedAdjustment,
    adjusted.map(({ period, exactMinor, amount, earning, ...part }) => ({
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
    })),
  );
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
