import { type AgreedPeriod, agreedPeriod } from "../db/billing/agreed-period.ts";
import { factsOfPeriod } from "../db/billing/invoice-facts.ts";
import { type LoadedPeriod, loadPeriod } from "../db/billing/period-facts.ts";
import { billReserved } from "../db/billing/reserved-credit.ts";
import type { StoredSubscription } from "../db/billing/subscriptions.ts";
import { taxStandingOf } from "../db/billing/tax-choices.ts";
import { type Database, inSnapshot, inTransaction, type Tx } from "../db/database.ts";
import { type Instant, instant, isoOf } from "../domain/calendar/index.ts";
import {
  billSoFar,
  type ClosedPeriod,
  chargedSoFar,
  closingEntries,
  grantsLeft,
  ratedSoFar,
  thresholdsAt,
  thresholdsReached,
} from "../domain/invoicing/index.ts";
import { lockedSubscription } from "./apply-change.ts";
import { type Issued, invoiceIdOf, issueInvoice, nothingIssued } from "./issue-invoice.ts";
import { keepUpGrants } from "./keep-up-grants.ts";
import { revisionsOf, storeOwnRun } from "./store-closing.ts";

export interface BillThresholdInput {
  readonly subscriptionId: string;
  /** When it is looked at; what the invoice carries as its date. */
  readonly at: string;
}

/**
 * Bills the usage of a subscription's current period so far, if it has reached a threshold that no invoice of the period was for:
 * in one transaction under the customer's lock, with credit drawn as at a close. One invoice, however many thresholds were passed.
 * Called again, it finds nothing more to bill.
 */
export async function billThreshold(db: Database, input: BillThresholdInput): Promise<Issued> {
  const { subscriptionId } = input;
  const at = instant(input.at);
  return await inTransaction(db, async (tx) => {
    const row = await lockedSubscription(tx, subscriptionId);
    const agreed = await periodInProgress(tx, row, at);
    if (agreed === null) return nothingIssued;
    await keepUpGrants(tx, row.customerId, at);
    const options = { levelsUntil: at, soFar: true };
    const facts = await loadPeriod((read) => inSnapshot(db, read), tx, row, agreed, at, options);
    return hasReachedThreshold(facts) ? await storeThreshold(tx, row, facts, at) : nothingIssued;
  });
}

/** Whether there is something to bill at a threshold, as of one moment and without a lock: who bills it looks again. */
export async function isThresholdDue(db: Database, row: StoredSubscription, at: Instant): Promise<boolean> {
  return await inSnapshot(db, async (tx) => {
    const agreed = await periodInProgress(tx, row, at);
    if (agreed === null) return false;
    const options = { levelsUntil: at, soFar: true };
    return hasReachedThreshold(await loadPeriod((read) => read(tx), tx, row, agreed, at, options));
  });
}

/** The period that an instant is in, if it is the next to be closed and its plan has thresholds. */
async function periodInProgress(tx: Tx, row: StoredSubscription, at: Instant): Promise<AgreedPeriod | null> {
  if (row.nextCloseAt === null || at < row.billedThrough) return null;
  const agreed = await agreedPeriod(tx, row, row.billedThrough);
  const isInside = agreed.period.start <= at && at < agreed.period.end;
  if (!isInside || thresholdsAt(agreed.terms, at) === undefined) return null;
  // Usage moves on while somebody reckons its tax: all of it is on the invoice of the period.
  const { handling } = await taxStandingOf(tx, { customerId: row.customerId, at });
  return handling === "none" ? agreed : null;
}

function hasReachedThreshold(facts: LoadedPeriod): boolean {
  const thresholds = thresholdsAt(facts.terms, facts.asOf);
  if (thresholds === undefined) return false;
  const charged = chargedSoFar(ratedSoFar(facts));
  return thresholdsReached(thresholds, charged) > thresholdsReached(thresholds, facts.chargedMost);
}

async function storeThreshold(
  tx: Tx,
  { id: subscriptionId, customerId }: StoredSubscription,
  facts: LoadedPeriod,
  issuedAt: Instant,
): Promise<Issued> {
  const billed: ClosedPeriod = billSoFar(facts);
  const { period, currency, revision } = facts;
  const { lines, totals } = billed;
  if (lines.length === 0) return nothingIssued;
  const sourceKey = `threshold/${subscriptionId}/${isoOf(period.start)}/${revision}`;
  const id = invoiceIdOf(sourceKey);
  const entries = closingEntries(
    {
      ...{ invoiceId: id, customerId, subscriptionId, currency, issuedAt },
      period,
      grantKinds: new Map(facts.grants.map((grant) => [grant.id, grant.kind])),
      revision,
      revisionOf: revisionsOf(facts),
      // What was charged in advance is earned when the period has passed.
      advance: [],
    },
    billed,
  );
  const part = { subscriptionId, period, lines, facts: factsOfPeriod(facts) };
  const invoice = { id, sourceKey, kind: "threshold" as const, customerId, parts: [part], totals, issuedAt };
  const creditLeft = grantsLeft(facts.grants, { parts: [billed], totals });
  await billReserved(tx, subscriptionId, facts.reserved ?? [], {
    at: issuedAt,
    revisionOf: revisionsOf(facts),
  });
  const issued = await issueInvoice(tx, invoice, entries, { creditLeft });
  const { invoiceId } = issued;
  const run = { subscriptionId, snapshot: facts.snapshot, invoiceId, ratedAt: issuedAt };
  await storeOwnRun(tx, facts, billed, { ...run, kind: "threshold" });
  return issued;
}
