import type { StoredCustomer } from "../db/billing/customers.ts";
import { findInvoiceBySource } from "../db/billing/invoices.ts";
import { knownCatalog } from "../db/billing/known-catalog.ts";
import { agreedOverrides } from "../db/billing/price-agreements.ts";
import { insertScheduled, nextDueAt } from "../db/billing/scheduled-changes.ts";
import { itemFor, requireFitting } from "../db/billing/subscription-items.ts";
import { itemsInForce } from "../db/billing/subscription-reads.ts";
import {
  anchoredPeriodAt,
  anchorsOf,
  findSubscription,
  insertSubscription,
  insertTerms,
  lockCustomer,
  type StoredSubscription,
  updateSubscription,
  wasOpenedBy,
} from "../db/billing/subscriptions.ts";
import { requiredTax } from "../db/billing/tax-ahead.ts";
import { taxedAtOnce } from "../db/billing/tax-given.ts";
import { type Database, inTransaction, type Tx } from "../db/database.ts";
import { agreedPeriodAt, instant, isoOf } from "../domain/calendar/index.ts";
import { linesInAdvance, SubscriptionRuleError, type Terms } from "../domain/invoicing/index.ts";
import { isTerminal } from "../domain/lifecycle/index.ts";
import { money } from "../domain/money/index.ts";
import type { RunningSubscription, StartChoices } from "../workflows/messages.ts";
import { runningAnchor } from "./apply-change.ts";
import { type Issued, issueLines, nothingIssued } from "./issue-invoice.ts";
import { beginning, firstCloseAt } from "./subscription-beginning.ts";
import { oneTrialEach, type TrialGate } from "./trial-gate.ts";

export interface OpenSubscriptionInput extends StartChoices {
  readonly subscriptionId: string;
  readonly customerId: string;
  readonly requestId: string;
  readonly at: string;
  readonly items: readonly {
    readonly planKey: string;
    readonly seats: number;
    readonly agreement?: string;
  }[];
}

export type OpenedSubscription = Issued & { readonly standing: RunningSubscription };

const sourceKeyOf = (subscriptionId: string) => `subscription/${subscriptionId}/activated`;

/**
 * Opens a subscription with the newest versions of its plans and invoices what is charged in advance for its first
 * period, in one transaction. Opening it again answers with what is there.
 * @throws SubscriptionRuleError when the plans do not exist or do not fit
 */
export async function openSubscription(
  db: Database,
  input: OpenSubscriptionInput,
  mayTry: TrialGate = oneTrialEach,
): Promise<OpenedSubscription> {
  const { subscriptionId, customerId } = input;
  const { plans } = knownCatalog(db);
  return await inTransaction(db, async (tx) => {
    const customer = await lockCustomer(tx, customerId);
    if (customer === undefined) {
      throw new SubscriptionRuleError(
        "customer_not_found",
        `there is no customer "${customerId}"`,
        "customer",
      );
    }
    const known = await findSubscription(tx, subscriptionId);
    if (known !== undefined) return await openedBefore(tx, known, input);
    await requireReactivated(tx, customerId, input.reactivates);
    const items = [];
    for (const { agreement, ...wanted } of input.items) {
      items.push(await itemFor(tx, { ...wanted, ...(await agreedOverrides(tx, agreement)) }, plans));
    }
    await requireFitting(tx, customer, subscriptionId, items);
    const begun = beginning(subscriptionId, customer, items, input);
    if (begun.row.trialEndsAt !== null) await askForTrial(tx, mayTry, customer, begun);
    await insertSubscription(tx, begun.row);
    await insertTerms(tx, subscriptionId, input.requestId, begun.terms);
    if (begun.trial !== null) await insertScheduled(tx, begun.trial);
    const issued = await invoiceActivation(tx, begun.row, begun.terms, input);
    const row = issued.collect ? begun.row : await begunAtOnce(tx, begun.row);
    return { ...issued, standing: await standingOf(tx, row, issued.invoiceId) };
  });
}

/** @throws SubscriptionRuleError `trial_refused` */
async function askForTrial(
  tx: Tx,
  mayTry: TrialGate,
  { id: customerId, paymentMethod, testClockId }: StoredCustomer,
  { row, terms }: ReturnType<typeof beginning>,
): Promise<void> {
  const { id: subscriptionId, startedAt: at } = row;
  // Test cards have the same fingerprint, whoever saves them.
  const fingerprint = testClockId === null ? (paymentMethod?.fingerprint ?? null) : null;
  const planKey = terms.items[0]?.plan.key ?? "";
  const obstacle = await mayTry(tx, { subscriptionId, customerId, planKey, fingerprint, at });
  if (obstacle !== null) throw new SubscriptionRuleError("trial_refused", obstacle, "trial");
}

/** Only what has ended goes on in another subscription of its customer. */
async function requireReactivated(tx: Tx, customerId: string, id: string | undefined): Promise<void> {
  if (id === undefined) return;
  const row = await findSubscription(tx, id);
  if (row?.customerId === customerId && isTerminal(row.status)) return;
  const message = `${id} is no subscription of the customer that has ended: change it instead`;
  throw new SubscriptionRuleError("subscription_not_canceled", message, "reactivates");
}

/** Where nothing is to be paid first, nothing is waited for. */
async function begunAtOnce(tx: Tx, row: StoredSubscription): Promise<StoredSubscription> {
  if (row.status !== "incomplete") return row;
  const begun = { ...row, status: "active", nextCloseAt: firstCloseAt(row) } as const;
  await updateSubscription(tx, row.id, { status: begun.status, nextCloseAt: begun.nextCloseAt });
  return begun;
}

async function invoiceActivation(
  tx: Tx,
  row: StoredSubscription,
  terms: Terms,
  { at, firstCharge = "prorated" }: OpenSubscriptionInput,
): Promise<Issued> {
  if (firstCharge === "none") return nothingIssued;
  const { period, full } = anchoredPeriodAt(row, row.startedAt);
  const lines = linesInAdvance(terms, period, 0, { full, timeZone: row.timeZone });
  const sourceKey = sourceKeyOf(row.id);
  const invoice = { sourceKey, kind: "activation", period, lines, issuedAt: instant(at) } as const;
  const { customerId } = row;
  const { issuedAt } = invoice;
  const of = taxedAtOnce.activation(customerId);
  const tax = await requiredTax(tx, { customerId, of, lines, at: issuedAt });
  return await issueLines(tx, row, invoice, money(0n, row.currency), tax);
}

async function openedBefore(
  tx: Tx,
  row: StoredSubscription,
  input: OpenSubscriptionInput,
): Promise<OpenedSubscription> {
  if (!(await wasOpenedBy(tx, row.id, input.requestId))) {
    const message = `there is a subscription "${row.id}" already: choose another id`;
    throw new SubscriptionRuleError("subscription_exists", message, "id");
  }
  const invoice = await findInvoiceBySource(tx, sourceKeyOf(row.id));
  const invoiceId = invoice?.id ?? null;
  return {
    invoiceId,
    collect: invoice !== undefined && invoice.totalMinor > 0n,
    standing: await standingOf(tx, row, invoiceId),
  };
}

/** What the subscription's run remembers when its life begins. */
async function standingOf(
  tx: Tx,
  row: StoredSubscription,
  invoiceId: string | null,
): Promise<RunningSubscription> {
  const { agreed, index } = agreedPeriodAt(anchorsOf(row), row.startedAt);
  const { periodIndex, ...anchor } = runningAnchor(agreed, index);
  const [main] = await itemsInForce(tx, row.id, row.startedAt);
  const dueAt = await nextDueAt(tx, row.id, row.startedAt);
  return {
    status: row.status,
    cancelAt: row.cancelAt === null ? null : isoOf(row.cancelAt),
    anchor,
    graceSeconds: row.graceSeconds,
    periodIndex,
    planKey: main?.planKey ?? "",
    answered: [],
    dueAt: dueAt === null ? null : isoOf(dueAt),
    ...(row.status === "incomplete" && row.expiresAt !== null && invoiceId !== null
      ? { firstPayment: { invoiceId, until: isoOf(row.expiresAt) } }
      : {}),
  };
}
