import type { Instant } from "../calendar/index.ts";
import { burnCharges, type UsageCharge } from "../credits/index.ts";
import type { Means } from "../entitlements/index.ts";
import { type LedgerAmount, ledgerAmount, ledgerAmountOfExact } from "../money/index.ts";

/**
 * What can be spent of each credit grant that is in force, less what usage that is not billed yet will draw of it, as a closing
 * draws. In the ledger's unit; by the grant's id.
 */
export function creditLeft(
  { grants, policy, unbilled }: Pick<Means, "grants" | "policy" | "unbilled">,
  now: Instant,
): ReadonlyMap<string, LedgerAmount> {
  const charges = unbilled.flatMap(({ period, rated }) =>
    rated.map(({ plan, price, stretch, rated: { exactMinor } }) => ({
      amount: ledgerAmountOfExact(exactMinor),
      used: { start: stretch.start, end: stretch.end },
      billed: period,
      product: price.product,
      price: { planKey: plan.key, priceKey: price.key },
      ...(price.feature === undefined ? {} : { feature: price.feature }),
    })),
  );
  const payable: UsageCharge[] = charges
    .filter(({ amount }) => amount > 0n)
    .map((charge, line) => ({ ...charge, line }));
  const drawn = new Map<string, bigint>();
  for (const { grantId, amount } of burnCharges(grants, payable, now, policy).draws) {
    drawn.set(grantId, (drawn.get(grantId) ?? 0n) + amount);
  }
  return new Map(
    grants
      .filter(({ effectiveAt, expiresAt }) => effectiveAt <= now && (expiresAt === null || expiresAt > now))
      .map(({ id, remaining }) => [id, ledgerAmount(remaining - (drawn.get(id) ?? 0n))]),
  );
}
