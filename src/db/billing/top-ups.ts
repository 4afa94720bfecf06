import { and, desc, eq, getTableColumns, isNull } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { BegunTopUp, TopUpRule } from "../../domain/credits/index.ts";
import { ledgerAmountOfMoney, money } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { enqueueNotice } from "../notices/enqueue-notice.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { topUp, topUpRule, topUpRuleEnd, topUpStanding } from "../schema/budgets.ts";

/** What buys credit by itself, and how it ended; null as long as it is in force. */
export type StoredTopUpRule = typeof topUpRule.$inferSelect & {
  readonly end: typeof topUpRuleEnd.$inferSelect | null;
};
export type StoredTopUp = typeof topUpStanding.$inferSelect;

const columns = { ...getTableColumns(topUpRule), end: getTableColumns(topUpRuleEnd) };

const rules = (tx: Tx) =>
  tx.select(columns).from(topUpRule).leftJoin(topUpRuleEnd, eq(topUpRuleEnd.ruleId, topUpRule.id));

/**
 * Sets a customer's rule, in place of the one that was in force, in the caller's transaction, which holds the customer's lock. One
 * that is there already stays as it is.
 */
export async function setTopUpRule(tx: Tx, row: typeof topUpRule.$inferInsert): Promise<void> {
  if ((await findTopUpRule(tx, row.id)) !== undefined) return;
  const before = await topUpRuleInForce(tx, row.customerId);
  if (before !== undefined) {
    const { setBy: endedBy, setAt: endedAt } = row;
    await endTopUpRule(tx, { ruleId: before.id, cause: "replaced", endedBy, endedAt });
  }
  await tx.insert(topUpRule).values(row);
}

/** Ends a rule; the first end stands. What it has begun goes on. @returns whether this ended it */
export async function endTopUpRule(tx: Tx, row: typeof topUpRuleEnd.$inferInsert): Promise<boolean> {
  const ended = await tx.insert(topUpRuleEnd).values(row).onConflictDoNothing().returning();
  return ended.length > 0;
}

/** The rule ends because it cannot go on, and its customer is told. */
export async function stopTopUpRule(
  tx: Tx,
  { id, customerId }: Pick<StoredTopUpRule, "id" | "customerId">,
  {
    cause,
    detail,
    at,
  }: { readonly cause: "declined" | "refused"; readonly detail: string; readonly at: Instant },
): Promise<void> {
  if (!(await endTopUpRule(tx, { ruleId: id, cause, detail, endedBy: "reckoner", endedAt: at }))) return;
  const subject = { ruleId: id };
  await enqueueNotice(tx, {
    key: `top-up-stopped/${id}`,
    kind: "top_up.stopped",
    customerId,
    subject,
    occurredAt: at,
  });
}

/** A charge of an invoice was declined: what bought it by itself buys no more. */
export async function stopDeclinedTopUp(
  tx: Tx,
  invoice: { readonly id: string; readonly kind: string; readonly customerId: string },
  { declineCode, at }: { readonly declineCode: string; readonly at: Instant },
): Promise<void> {
  if (invoice.kind !== "credit_purchase") return;
  const [bought] = await tx.select().from(topUpStanding).where(eq(topUpStanding.invoiceId, invoice.id));
  if (bought === undefined) return;
  const rule = { id: bought.ruleId, customerId: invoice.customerId };
  await stopTopUpRule(tx, rule, { cause: "declined", detail: declineCode, at });
}

export async function findTopUpRule(tx: Tx, id: string): Promise<StoredTopUpRule | undefined> {
  const [row] = await rules(tx).where(eq(topUpRule.id, id));
  return row;
}

export async function topUpRuleInForce(tx: Tx, customerId: string): Promise<StoredTopUpRule | undefined> {
  const [row] = await rules(tx).where(and(eq(topUpRule.customerId, customerId), isNull(topUpRuleEnd.ruleId)));
  return row;
}

/** All rules that a customer ever had, the newest first. */
export async function listTopUpRules(
  tx: Tx,
  customerId: string,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredTopUpRule, NewestFirst>> {
  const found = await rules(tx)
    .where(and(eq(topUpRule.customerId, customerId), olderThan(topUpRule.setAt, topUpRule.id, page.after)))
    .orderBy(desc(topUpRule.setAt), desc(topUpRule.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ setAt, id }) => ({ at: setAt, id }));
}

/** What was bought by itself for a customer, the newest first; of all rules. */
export async function topUpsOf(tx: Tx, customerId: string, limit = 1_000): Promise<StoredTopUp[]> {
  return await tx
    .select()
    .from(topUpStanding)
    .where(eq(topUpStanding.customerId, customerId))
    .orderBy(desc(topUpStanding.begunAt), desc(topUpStanding.grantId))
    .limit(limit);
}

export async function insertTopUp(tx: Tx, row: typeof topUp.$inferInsert): Promise<void> {
  await tx.insert(topUp).values(row);
}

/** As the domain knows it. */
export function ruleOf({
  currency,
  thresholdMinor,
  amountMinor,
  monthlyLimitMinor: limit,
  coolDownSeconds,
}: StoredTopUpRule): TopUpRule {
  return {
    threshold: ledgerAmountOfMoney(money(thresholdMinor, currency)),
    amount: money(amountMinor, currency),
    monthlyLimit: limit === null ? null : money(limit, currency),
    coolDownSeconds,
  };
}

export const begunOf = ({ state, amountMinor, currency, begunAt }: StoredTopUp): BegunTopUp => ({
  state,
  begunAt,
  amount: money(amountMinor, currency),
});
