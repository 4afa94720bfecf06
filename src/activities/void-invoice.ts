import { agreedPeriod } from "../db/billing/agreed-period.ts";
import { insertReturns } from "../db/billing/credit-draws.ts";
import { partsOfInvoice } from "../db/billing/invoice-parts.ts";
import {
  findVoid,
  findVoidRequest,
  firstOf,
  type InvoiceToVoid,
  insertVoid,
  invoiceToVoid,
  replacementOf,
} from "../db/billing/invoice-voids.ts";
import { findInvoice, type StoredInvoice } from "../db/billing/invoices.ts";
import { completenessOf } from "../db/billing/period-completeness.ts";
import { loadPeriod } from "../db/billing/period-facts.ts";
import { findSubscription, lockCustomer, updateSubscription } from "../db/billing/subscriptions.ts";
import { taxStandingOf } from "../db/billing/tax-choices.ts";
import { testClockOf } from "../db/billing/test-clocks.ts";
import { type Database, inSnapshot, inTransaction, type Tx } from "../db/database.ts";
import { findEntryOfCause } from "../db/ledger/ledger.ts";
import type { ReasonCode } from "../domain/adjustments/index.ts";
import { type Instant, instant, isoOf } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import {
  correctionIdOf,
  cycleIdOf,
  InvoiceNotVoidableError,
  requireVoidable,
} from "../domain/invoicing/index.ts";
import { invoiceVoided, type JournalEntryDraft, reversalOf } from "../domain/ledger/index.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { book, type Issued, nothingIssued } from "./issue-invoice.ts";
import { keepUpGrants } from "./keep-up-grants.ts";
import { type PeriodToStore, storeClosing } from "./store-closing.ts";
import {
  claimVoid,
  keepingTaxWanted,
  releaseVoid,
  requireWithdrawn,
  VoidTaxMissingError,
  VoidUnfinishedError,
  withdrawAtStripe,
} from "./void-claim.ts";
import { taxedPeriods } from "./wait-for-tax.ts";

export interface VoidInvoiceInput {
  readonly invoiceId: string;
  readonly reasonCode: ReasonCode;
  readonly reason: string | null;
  readonly voidedBy: string;
  readonly at: string;
}

/** As a workflow asks for it: for the reason that was written down with the request, or for one of its own. */
export type WithdrawnInvoice =
  | { readonly invoiceId: string; readonly at: string; readonly requestId: string }
  | (Omit<VoidInvoiceInput, "reasonCode"> & { readonly reasonCode: string });

/** Voids an invoice, and tells the run that collects it, which has nothing left to do. */
export async function withdrawInvoice(deps: ActivityDependencies, input: WithdrawnInvoice): Promise<Issued> {
  const { db, gateway } = deps;
  const issued = await voidInvoice(deps, await withReason(db, input));
  const invoice = await findInvoice(db.orm, input.invoiceId);
  if (invoice?.collectedBy == null) return issued;
  const clock = await testClockOf(db.orm, invoice.customerId);
  const reading = clock === undefined ? null : { clockId: clock.id, now: isoOf(clock.currentAt) };
  await gateway.tellInvoiceChanged(invoice.collectedBy, reading, `void/${invoice.id}`);
  return issued;
}

async function withReason(db: Database, input: WithdrawnInvoice): Promise<VoidInvoiceInput> {
  if (!("requestId" in input)) return { ...input, reasonCode: input.reasonCode as ReasonCode };
  const { invoiceId, requestId, at } = input;
  const asked = await findVoidRequest(db.orm, invoiceId, requestId);
  invariant(asked, `the request ${requestId} was written before a run was told of it`);
  const { reasonCode, reason, requestedBy: voidedBy } = asked;
  return { invoiceId, at, reasonCode, reason, voidedBy };
}

/**
 * Withdraws an open invoice: at Stripe first, so that nobody pays it any more, then here, in one transaction. Its entries are
 * reversed, what was drawn goes back to its grants, and a period that it closed is billed anew by an invoice that refers to it,
 * with the usage, credit and balance of now. Voided again, it answers with what was done.
 * @throws InvoiceNotVoidableError
 */
export async function voidInvoice(
  deps: Pick<ActivityDependencies, "db" | "rail" | "now">,
  input: VoidInvoiceInput,
): Promise<Issued> {
  const { db } = deps;
  const at = instant(input.at);
  const before = await findInvoice(db.orm, input.invoiceId);
  invariant(before, `invoice ${input.invoiceId} exists`);
  if (before.status === "void") return await voidedBefore(db.orm, before);
  // Begun before, it may be void at Stripe already: then it is only gone on with.
  if (before.voidingSince === null) {
    await keepingTaxWanted(db, before, at, () =>
      rehearse(db, before, at, (tx) => voidHere(db, tx, before, input)),
    );
    await claimVoid(db, before, at);
  }
  try {
    await withdrawAtStripe(deps, before);
  } catch (error) {
    // It was paid in the last moment: it stays, and whatever waited for this may come.
    if (error instanceof InvoiceNotVoidableError) await releaseVoid(db.orm, before);
    throw error;
  }
  return await keepingTaxWanted(db, before, at, () =>
    inTransaction(db, (tx) => finish(db, tx, before, input)),
  );
}

async function finish(db: Database, tx: Tx, before: StoredInvoice, input: VoidInvoiceInput): Promise<Issued> {
  await lockCustomer(tx, before.customerId);
  await requireWithdrawn(tx, before);
  try {
    return await voidHere(db, tx, before, input);
  } catch (error) {
    throw error instanceof InvoiceNotVoidableError ? new VoidUnfinishedError(before.id, error) : error;
  }
}

/** Finds out whether it can be done, before anything is said to Stripe; with tax by doing it all and taking it back. */
async function rehearse(
  db: Database,
  invoice: StoredInvoice,
  at: Instant,
  doIt: (tx: Tx) => Promise<unknown>,
): Promise<void> {
  const over = new Error("the rehearsal is over");
  await inTransaction(db, async (tx) => {
    await lockCustomer(tx, invoice.customerId);
    await requireWithdrawn(tx, invoice);
    requireVoidable(await invoiceToVoid(tx, (await findInvoice(tx, invoice.id)) ?? invoice, at));
    const { handling } = await taxStandingOf(tx, { customerId: invoice.customerId, at });
    if (handling === "none") return;
    await doIt(tx);
    throw over;
  }).catch((error: unknown) => {
    if (error !== over) throw error;
  });
}

/** Voids it in the caller's transaction. */
async function voidHere(
  db: Database,
  tx: Tx,
  before: StoredInvoice,
  input: VoidInvoiceInput,
): Promise<Issued> {
  const at = instant(input.at);
  await lockCustomer(tx, before.customerId);
  const invoice = (await findInvoice(tx, before.id)) ?? before;
  if (invoice.status === "void") return await voidedBefore(tx, invoice);
  const toVoid = await invoiceToVoid(tx, invoice, at);
  requireVoidable(toVoid);
  // What bills it anew is what the others wait for.
  if (invoice.voidingSince !== null) await releaseVoid(tx, invoice);
  const { reasonCode, reason, voidedBy } = input;
  await insertVoid(tx, { invoiceId: invoice.id, reasonCode, reason, voidedBy, voidedAt: at });
  await book(tx, await entriesOfVoid(tx, invoice, toVoid, at));
  const back = toVoid.draws
    .filter(({ amount }) => amount > 0n)
    .map((draw) => ({ ...draw, to: "grant" as const }));
  await insertReturns(tx, { type: "invoice_void", id: invoice.id }, back, at);
  if (invoice.kind === "late_usage") await closeAnew(tx, invoice, at);
  return invoice.kind === "cycle" ? await billAgain(db, tx, invoice, at) : nothingIssued;
}

async function voidedBefore(tx: Tx, invoice: StoredInvoice): Promise<Issued> {
  invariant(await findVoid(tx, invoice.id), "who voids says so");
  const replacement = await replacementOf(tx, invoice.id);
  return { invoiceId: replacement?.id ?? null, collect: replacement?.status === "open" };
}

/** Every entry of the invoice undone, the last one first: what was rated for it is rated anew. */
async function entriesOfVoid(
  tx: Tx,
  { id }: StoredInvoice,
  { runs }: InvoiceToVoid,
  at: Instant,
): Promise<JournalEntryDraft[]> {
  const times = (name: string) => ({
    sourceKey: `invoice/${id}/voided${name}`,
    occurredAt: at,
    effectiveAt: at,
  });
  const applied = await findEntryOfCause(tx, "customer_balance_applied", {
    type: "customer_balance_application",
    id,
  });
  const issued = await findEntryOfCause(tx, "invoice_issued", { type: "invoice", id });
  const undone: JournalEntryDraft[] = [];
  if (applied !== undefined) undone.push(reversalOf(times("/balance"), applied));
  if (issued !== undefined) undone.push(invoiceVoided(times(""), { invoiceId: id, issued }));
  for (const { subscriptionId, periodStart, periodEnd, revision, afterRevision } of runs) {
    const period = { start: periodStart, end: periodEnd };
    const cycle = { type: "billing_cycle", id: cycleIdOf(subscriptionId, period, revision) };
    const correction = { type: "usage_correction", id: correctionIdOf(subscriptionId, period, revision) };
    const causes =
      afterRevision === null
        ? [["credits_burned", cycle] as const, ["usage_rated", cycle] as const]
        : [["late_usage_adjusted", correction] as const];
    for (const [kind, cause] of causes) {
      const entry = await findEntryOfCause(tx, kind, cause);
      if (entry !== undefined) undone.push(reversalOf(times(`/${kind}/${cause.id}`), entry));
    }
  }
  return undone;
}

/** The usage that it billed is still late: its subscription, which has ended, is to be closed once more. */
async function closeAnew(tx: Tx, { subscriptionId }: StoredInvoice, at: Instant): Promise<void> {
  invariant(subscriptionId, "late usage is of one subscription");
  await updateSubscription(tx, subscriptionId, { nextCloseAt: at });
}

/** Closes the periods of a void invoice again, as of now: together, as they were, whatever was chosen since. */
async function billAgain(db: Database, tx: Tx, voided: StoredInvoice, at: Instant): Promise<Issued> {
  await keepUpGrants(tx, voided.customerId, at);
  const again = { voided, waitedFor: (await firstOf(tx, voided)).id };
  const periods: PeriodToStore[] = [];
  for (const { subscriptionId, periodStart } of await partsOfInvoice(tx, voided.id)) {
    invariant(subscriptionId !== null && periodStart !== null, "a cycle is of subscriptions' periods");
    const row = await findSubscription(tx, subscriptionId);
    invariant(row, "a period is of a subscription");
    const agreed = await agreedPeriod(tx, row, periodStart);
    const usage = await completenessOf(tx, row, agreed, at);
    const facts = await loadPeriod((read) => inSnapshot(db, read), tx, row, agreed, at, { again });
    periods.push({ row, usage, facts });
  }
  const taxed = await taxedPeriods(tx, periods, { at });
  if (taxed.missing !== null) throw new VoidTaxMissingError(taxed.missing);
  return await storeClosing(tx, taxed.periods, taxed.closed, { at, again });
}
