import { desc, eq, sql } from "drizzle-orm";
import {
  type DunningPolicy,
  type DunningTerms,
  type NamedDunningPolicy,
  dunningPolicy as policyOf,
} from "../../domain/lifecycle/index.ts";
import { canonicalJson } from "../../domain/metering/index.ts";
import type { Tx } from "../database.ts";
import { dunningPolicy } from "../schema/catalog.ts";
import { dunningPolicyChoice } from "../schema/dunning.ts";

export type StoredPolicyChoice = typeof dunningPolicyChoice.$inferSelect;

/** The newest version of every policy of the deployment, by key. */
export async function latestDunningPolicies(tx: Tx): Promise<NamedDunningPolicy[]> {
  return (await newestPolicies(tx)).map(({ definition }) => definition);
}

async function newestPolicies(tx: Tx) {
  return await tx
    .selectDistinctOn([dunningPolicy.key])
    .from(dunningPolicy)
    .orderBy(dunningPolicy.key, desc(dunningPolicy.version));
}

/** A policy that says anything else than its newest version gets a new one, for what fails from then on. */
export async function publishDunningPolicies(tx: Tx, policies: readonly NamedDunningPolicy[]): Promise<void> {
  if (policies.length === 0) return;
  const newest = new Map((await newestPolicies(tx)).map((row) => [row.key, row]));
  const added = policies.flatMap((definition) => {
    const before = newest.get(definition.key);
    if (before !== undefined && canonicalJson(before.definition) === canonicalJson(definition)) return [];
    return [{ key: definition.key, version: (before?.version ?? 0) + 1, definition }];
  });
  if (added.length > 0) await tx.insert(dunningPolicy).values(added);
}

export async function findDunningPolicy(tx: Tx, key: string): Promise<NamedDunningPolicy | undefined> {
  const [row] = await tx
    .select()
    .from(dunningPolicy)
    .where(eq(dunningPolicy.key, key))
    .orderBy(desc(dunningPolicy.version))
    .limit(1);
  return row?.definition;
}

/** What was last chosen for a customer; undefined when nothing ever was. */
export async function policyChoiceOf(tx: Tx, customerId: string): Promise<StoredPolicyChoice | undefined> {
  const [row] = await tx
    .select()
    .from(dunningPolicyChoice)
    .where(eq(dunningPolicyChoice.customerId, customerId))
    .orderBy(desc(dunningPolicyChoice.number))
    .limit(1);
  return row;
}

/** Writes a choice down; the same request again changes nothing. */
export async function insertPolicyChoice(
  tx: Tx,
  choice: typeof dunningPolicyChoice.$inferInsert,
): Promise<void> {
  await tx.insert(dunningPolicyChoice).values(choice).onConflictDoNothing();
}

export interface ChosenPolicy {
  readonly policy: DunningPolicy;
  /** Null when a plan's own terms count. */
  readonly policyKey: string | null;
}

/** What counts for a customer now: what was chosen for them, or else what the terms name, or else the terms themselves. */
export async function policyInForce(tx: Tx, customerId: string, terms: DunningTerms): Promise<ChosenPolicy> {
  const chosen = (await policyChoiceOf(tx, customerId))?.policyKey ?? terms.policy;
  const named = chosen === undefined ? undefined : await findDunningPolicy(tx, chosen);
  return { policy: policyOf(named ?? terms), policyKey: named?.key ?? null };
}

/** The instants at which a customer's last payments came, at most a hundred. */
export async function recentPaymentTimes(tx: Tx, customerId: string) {
  const found = await tx.execute<{ received: string }>(sql`
    select to_char(received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as received
    from billing.payment join billing.invoice on invoice.id = payment.invoice_id
    where customer_id = ${customerId} order by received_at desc limit 100`);
  return [...found].map(({ received }) => received);
}
