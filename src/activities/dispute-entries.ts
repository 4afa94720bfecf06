import { findGrantOfInvoice } from "../db/billing/credit-grants.ts";
import type { StoredDispute } from "../db/billing/disputes.ts";
import type { Tx } from "../db/database.ts";
import { findHold, placeHolds, releaseHolds, settleHolds } from "../db/ledger/holds.ts";
import { availableBalances, findEntry } from "../db/ledger/ledger.ts";
import { type Instant, instantOfEpochMs } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import {
  disputeFreeze,
  disputeLost,
  disputeOpened,
  disputeWon,
  prepaidCredits,
  reversalOf,
} from "../domain/ledger/index.ts";
import {
  currency,
  type LedgerAmount,
  ledgerAmount,
  ledgerAmountAtStripe,
  ledgerAmountOfMoney,
  money,
} from "../domain/money/index.ts";
import type { DisputeAtStripe, DisputeMovement } from "../stripe/index.ts";
import { bookOnce, bookSettled, movementKey } from "./balance-movement.ts";

/** How a dispute stands, as it is written down. */
export type DisputeStanding = Omit<StoredDispute, "isOpen" | "changedAt">;

interface DisputeToBook {
  readonly said: DisputeAtStripe;
  readonly standing: DisputeStanding;
  readonly at: Instant;
}

/** Longer than any bank takes to decide. */
const freezeMs = 365 * 86_400_000;

const lostKey = (disputeId: string) => `dispute/${disputeId}/lost`;
const freezeKey = (disputeId: string) => `dispute/${disputeId}/freeze`;

/** Books what a dispute has moved, and, when it is lost, where the loss falls. What was booked before is not booked again. */
export async function bookDispute(tx: Tx, dispute: DisputeToBook): Promise<void> {
  const { said, standing } = dispute;
  // Won on appeal: that it had been lost is undone before the money comes back.
  if (said.status === "won") await undoLoss(tx, dispute);
  for (const movement of said.movements) await bookFunds(tx, dispute, movement);
  if (standing.withdrawnMinor > 0n && said.status !== "lost") await freeze(tx, dispute);
  if (said.status === "won" || said.status === "prevented") await thaw(tx, dispute);
  if (said.status === "lost") await bookLoss(tx, dispute);
}

async function bookFunds(
  tx: Tx,
  { said, standing, at }: DisputeToBook,
  movement: DisputeMovement,
): Promise<void> {
  const { balanceTransactionId, amount: moved } = movement;
  if (moved === 0n) return;
  const facts = { ...factsOf(standing, movementKey(balanceTransactionId), at), balanceTransactionId };
  // Settled in another currency it says nothing of what it is in this one: the whole of what is disputed.
  const amount =
    movement.currency === said.currency
      ? ledgerAmountAtStripe(moved < 0n ? -moved : moved, said.currency)
      : ledgerAmountOfMoney(money(standing.amountMinor, standing.currency));
  await bookSettled(tx, facts.currency, movement, (fee) =>
    moved < 0n
      ? disputeOpened({ ...facts, amount, fee })
      : disputeWon({ ...facts, amount, feeReturned: ledgerAmount(-fee) }),
  );
}

async function bookLoss(tx: Tx, { standing, at }: DisputeToBook): Promise<void> {
  const { stripeDisputeId, customerId, withdrawnMinor } = standing;
  // Lost without a withdrawal: nothing was taken, and nothing is lost.
  if (withdrawnMinor === 0n || (await findEntry(tx, lostKey(stripeDisputeId))) !== undefined) return;
  const amount = ledgerAmountOfMoney(money(withdrawnMinor, standing.currency));
  const frozen = await frozenCredits(tx, standing);
  const unused = ledgerAmount(frozen.amount < amount ? frozen.amount : amount);
  const entry = disputeLost({
    ...factsOf(standing, lostKey(stripeDisputeId), at),
    customerId,
    amount,
    used: ledgerAmount(amount - unused),
    unusedCredits: frozen.grantId === null ? [] : [{ grantId: frozen.grantId, amount: unused }],
  });
  if (frozen.grantId === null) return await bookOnce(tx, entry);
  const [settled] = await settleHolds(tx, [{ holdKey: freezeKey(stripeDisputeId), entry }]);
  invariant(settled?.status === "created", `a loss is booked once, but was: ${settled?.status}`);
}

async function undoLoss(tx: Tx, { standing, at }: DisputeToBook): Promise<void> {
  const lost = await findEntry(tx, lostKey(standing.stripeDisputeId));
  if (lost === undefined) return;
  const sourceKey = `${lostKey(standing.stripeDisputeId)}/undone`;
  await bookOnce(tx, reversalOf({ sourceKey, occurredAt: at, effectiveAt: at }, lost));
}

/** What the disputed payment bought and nobody has used cannot be spent while the bank decides. */
async function freeze(tx: Tx, { standing, at }: DisputeToBook): Promise<void> {
  const { stripeDisputeId: disputeId, customerId, invoiceId } = standing;
  const grant = await findGrantOfInvoice(tx, invoiceId);
  if (grant === undefined || (await findHold(tx, freezeKey(disputeId))) !== undefined) return;
  const of = currency(standing.currency);
  const [balance] = await availableBalances(tx, [prepaidCredits(customerId, grant.id, of)]);
  const remaining = balance?.available ?? ledgerAmount(0n);
  const taken = ledgerAmountOfMoney(money(standing.withdrawnMinor, of));
  const draft = disputeFreeze({
    disputeId,
    customerId,
    currency: of,
    placedAt: at,
    expiresAt: instantOfEpochMs(at + freezeMs),
    grants: [{ grantId: grant.id, remaining: remaining < taken ? remaining : taken }],
  });
  if (draft === null) return;
  const [placed] = await placeHolds(tx, [draft]);
  invariant(placed?.status === "created", `credit is frozen once, but was: ${placed?.status}`);
}

async function thaw(tx: Tx, { standing, at }: DisputeToBook): Promise<void> {
  await releaseHolds(tx, [freezeKey(standing.stripeDisputeId)], at);
}

async function frozenCredits(
  tx: Tx,
  { stripeDisputeId, invoiceId }: DisputeStanding,
): Promise<{ readonly grantId: string | null; readonly amount: LedgerAmount }> {
  const hold = await findHold(tx, freezeKey(stripeDisputeId));
  const grant = await findGrantOfInvoice(tx, invoiceId);
  const line = hold?.lines[0];
  const isHeld = hold !== undefined && hold.resolution === null && line !== undefined && grant !== undefined;
  return isHeld ? { grantId: grant.id, amount: line.amount } : { grantId: null, amount: ledgerAmount(0n) };
}

function factsOf(standing: DisputeStanding, sourceKey: string, at: Instant) {
  return {
    sourceKey,
    customerId: standing.customerId,
    currency: currency(standing.currency),
    occurredAt: at,
    effectiveAt: at,
    disputeId: standing.stripeDisputeId,
    paymentId: standing.stripePaymentIntentId,
  };
}
