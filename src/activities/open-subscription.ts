import type { StoredCustomer } from "../db/billing/customers.ts";
import { findInvoiceBySource } from "../db/billing/invoices.ts";
import { agreedOverrides } from "../db/billing/price-agreements.ts";
import { itemFor, requireFitting } from "../db/billing/subscription-items.ts";
import {
  anchoredPeriodAt,
  anchorsOf,
  anchorToStore,
  findSubscription,
  insertSubscription,
  insertTerms,
  lockCustomer,
  type StoredSubscription,
  wasOpenedBy,
} from "../db/billing/subscriptions.ts";
import { type Database, inTransaction, type Tx } from "../db/database.ts";
import {
  addDuration,
  agreedPeriodAt,
  anchorFor,
  type Instant,
  instant,
  isoOf,
} from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import { linesInAdvance, SubscriptionRuleError, type Terms } from "../domain/invoicing/index.ts";
import { money } from "../domain/money/index.ts";
import type { RunningSubscription } from "../workflows/messages.ts";
import { runningAnchor } from "./apply-change.ts";
import { type Issued, issueLines } from "./issue-invoice.ts";

export interface OpenSubscriptionInput {
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
): Promise<OpenedSubscription> {
  const { subscriptionId, customerId } = input;
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
    const at = instant(input.at);
    const items = [];
    for (const { agreement, ...wanted } of input.items) {
      items.push(await itemFor(tx, { ...wanted, ...(await agreedOverrides(tx, agreement)) }));
    }
    await requireFitting(tx, customer, subscriptionId, items);
    const terms: Terms = { effectiveAt: at, items, paused: false };
    const row = newSubscription(subscriptionId, customer, terms, at);
    await insertSubscription(tx, row);
    await insertTerms(tx, subscriptionId, input.requestId, terms);
    const issued = await invoiceActivation(tx, row, terms, at);
    return { ...issued, standing: standingOf(row, input) };
  });
}

function newSubscription(
  id: string,
  customer: StoredCustomer,
  terms: Terms,
  at: Instant,
): StoredSubscription {
  const plan = terms.items[0]?.plan;
  invariant(plan, "a subscription has a plan");
  const { interval, graceSeconds } = plan;
  const { timeZone } = customer;
  const anchor = anchorFor(plan.anchor, { start: at, interval, timeZone });
  const first = { effectiveAt: at, anchor };
  const { period } = agreedPeriodAt([first], at);
  return {
    id,
    customerId: customer.id,
    status: "active",
    startedAt: at,
    intervalUnit: interval.unit,
    intervalCount: interval.count,
    timeZone,
    currency: customer.currency,
    graceSeconds,
    billedThrough: at,
    nextCloseAt: addDuration(period.end, { seconds: graceSeconds }, "UTC"),
    cancelAt: null,
    canceledAt: null,
    anchors: anchor.at === at ? [] : [anchorToStore(first)],
  };
}

async function invoiceActivation(
  tx: Tx,
  row: StoredSubscription,
  terms: Terms,
  at: Instant,
): Promise<Issued> {
  const { period, full } = anchoredPeriodAt(row, at);
  const lines = linesInAdvance(terms, period, 0, { full, timeZone: row.timeZone });
  const sourceKey = sourceKeyOf(row.id);
  const invoice = { sourceKey, kind: "activation", period, lines, issuedAt: at } as const;
  return await issueLines(tx, row, invoice, money(0n, row.currency));
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
  return {
    invoiceId: invoice?.id ?? null,
    collect: invoice !== undefined && invoice.totalMinor > 0n,
    standing: standingOf(row, input),
  };
}

/** What the subscription's run remembers when its life begins. */
function standingOf(row: StoredSubscription, { items }: OpenSubscriptionInput): RunningSubscription {
  const { agreed, index } = agreedPeriodAt(anchorsOf(row), row.startedAt);
  const { periodIndex, ...anchor } = runningAnchor(agreed, index);
  return {
    status: row.status,
    cancelAt: row.cancelAt === null ? null : isoOf(row.cancelAt),
    anchor,
    graceSeconds: row.graceSeconds,
    periodIndex,
    planKey: items[0]?.planKey ?? "",
    answered: [],
  };
}
