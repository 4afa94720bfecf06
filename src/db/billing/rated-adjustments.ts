import { and, eq } from "drizzle-orm";
import type { Instant, Period } from "../../domain/calendar/index.ts";
import type { AdvanceCharged, BookedAdjustment, RatedAdjustment } from "../../domain/invoicing/index.ts";
import { decimal, money } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { ratedAdjustment } from "../schema/pricing.ts";
import { timestamp } from "../timestamp.ts";
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
  if (adjusted.length === 0) return;
  await tx.insert(ratedAdjustment).values(
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
    exactMinor: decimal(exactMinor),
    amount: money(amountMinor, currency),
  }));
}

/** What was invoiced in advance for a period, price by price, less what was handed back, and what was taken off it. */
export async function advanceCharged(
  tx: Tx,
  subscriptionId: string,
  { start, end }: Period,
  currency: string,
): Promise<AdvanceCharged[]> {
  const found = await rows<{
    plan_key: string;
    plan_version: number;
    price_key: string;
    adjustment: string | null;
    amount: bigint;
  }>(
    tx,
    sql`select line.plan_key, line.plan_version, line.price_key, line.detail ->> 'adjustment' as adjustment,
          sum(line.amount_minor)::int8 as amount
        from billing.invoice inv join billing.invoice_line line on line.invoice_id = inv.id
        where inv.subscription_id = ${subscriptionId} and inv.status <> 'void' and line.earning = 'deferred'
          and line.price_key is not null and line.period_start >= ${timestamp(start)}
          -- What was handed back when the period was cut short is dated where it ends.
          and (line.period_start < ${timestamp(end)} or line.detail ->> 'periodStart' = ${String(start)})
        group by 1, 2, 3, 4 order by 1, 2, 3, 4`,
  );
  const ofPrice = Map.groupBy(found, (row) => `${row.plan_key}/${row.plan_version}/${row.price_key}`);
  return [...ofPrice.values()].flatMap((amounts) => {
    const [first] = amounts;
    if (first === undefined) return [];
    const charged = amounts.find(({ adjustment }) => adjustment === null);
    return [
      {
        planKey: first.plan_key,
        planVersion: first.plan_version,
        priceKey: first.price_key,
        amount: money(charged?.amount ?? 0n, currency),
        adjusted: amounts.flatMap(({ adjustment, amount }) =>
          adjustment === null ? [] : [{ adjustmentKey: adjustment, amount: money(amount, currency) }],
        ),
      },
    ];
  });
}
