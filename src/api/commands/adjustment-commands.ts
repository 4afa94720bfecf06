import { correctedMoney } from "../../db/billing/corrected-money.ts";
import { insertGrant } from "../../db/billing/credit-grants.ts";
import { lockCustomer } from "../../db/billing/subscriptions.ts";
import { inTransaction, type Tx } from "../../db/database.ts";
import {
  adjustmentOf,
  findAdjustment,
  insertAdjustment,
  insertDecision,
} from "../../db/ledger/adjustments.ts";
import { postEntries } from "../../db/ledger/ledger.ts";
import {
  type Adjustment,
  AdjustmentImpossibleError,
  type AdjustmentKind,
  type ApprovalLimits,
  adjustmentEntry,
  type CorrectedMoney,
  correctionOf,
  obstacleTo,
} from "../../domain/adjustments/index.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import { exactOfLedgerAmount, ledgerAmount, roundToMinor } from "../../domain/money/index.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { AdjustmentCommands, ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { requireDecidable } from "./require-decidable.ts";

/** Corrections of credit and balances: booked at once where one person may decide, else when a second one agrees. */
export function adjustmentCommands(
  deps: Pick<ApiDependencies, "db" | "now"> & { readonly approvalLimits: ApprovalLimits },
): AdjustmentCommands {
  const { db, approvalLimits } = deps;
  return {
    async request({ correction: asked, alongside, ...request }, { actor: requestedBy }) {
      const { id, customerId, currency } = request;
      const requestedAt = await timeOfCustomer(deps, customerId);
      await inTransaction(db, async (tx) => {
        await lockCustomer(tx, customerId);
        // This very request again, from a process that died before it could answer.
        if ((await findAdjustment(tx, id)) !== undefined) return;
        const money = await correctedMoney(tx, customerId, currency, asked);
        const correction = correctionOf(asked, money.grant?.remaining ?? ledgerAmount(0n));
        const adjustment = { ...request, correction };
        requirePossible(adjustment, money, requestedAt);
        const approvalLimit = approvalLimits.get(currency) ?? null;
        const stored = await insertAdjustment(tx, adjustment, { requestedBy, requestedAt, approvalLimit });
        await alongside?.(tx, requestedAt);
        if (stored.needsApproval) return;
        await execute(tx, adjustment, money, requestedBy, requestedAt);
      });
    },

    async decide(decision, { actor: decidedBy }) {
      const { adjustmentId } = decision;
      const { customerId } = found(await findAdjustment(db.orm, adjustmentId), "adjustment", adjustmentId);
      const decidedAt = await timeOfCustomer(deps, customerId);
      await inTransaction(db, async (tx) => {
        await lockCustomer(tx, customerId);
        const stored = found(await findAdjustment(tx, adjustmentId), "adjustment", adjustmentId);
        if (stored.outcome === decision.outcome && stored.decidedBy === decidedBy) return;
        requireDecidable("adjustment", stored, decision, decidedBy);
        const decided = { ...decision, decidedBy, decidedAt };
        if (decision.outcome !== "approved") return await insertDecision(tx, decided);
        const adjustment = adjustmentOf(stored);
        const money = await correctedMoney(tx, customerId, adjustment.currency, adjustment.correction);
        requirePossible(adjustment, money, decidedAt);
        await insertDecision(tx, decided);
        await execute(tx, adjustment, money, decidedBy, decidedAt);
      });
    },
  };
}

function requirePossible(adjustment: Adjustment, money: CorrectedMoney, asOf: Instant): void {
  const obstacle = obstacleTo(adjustment, money, asOf);
  if (obstacle !== null) throw obstacle;
}

const shortages: Partial<Record<AdjustmentKind, string>> = {
  void_grant: "credit_grant_reserved",
  debit_balance: "customer_balance_insufficient",
};

/** Does what was asked for, in the caller's transaction, which holds the customer's lock. */
async function execute(
  tx: Tx,
  adjustment: Adjustment,
  { grant }: CorrectedMoney,
  actor: string,
  at: Instant,
): Promise<void> {
  const { customerId, currency, correction, reason } = adjustment;
  if (correction.kind === "grant_credit") {
    const { grantId: id, grantKind: kind, priority, expiresAt, change, scope, startsAt = at } = correction;
    const { amountMinor } = roundToMinor(exactOfLedgerAmount(change), currency);
    const effectiveAt = startsAt > at ? startsAt : at;
    const terms = {
      customerId,
      kind,
      currency,
      amountMinor,
      priority,
      expiresAt,
      reason,
      scope: scope ?? null,
    };
    await insertGrant(tx, { id, ...terms, effectiveAt, createdAt: at });
  }
  const entry = adjustmentEntry(adjustment, grant?.remaining ?? ledgerAmount(0n), at);
  const [result] = await postEntries(tx, [entry], actor);
  // Usage may have reserved some of it since we looked: that does not wait for the customer's lock.
  if (result?.status === "insufficient") {
    const message = "less is left than a moment ago: look again, and ask for what is there";
    throw new AdjustmentImpossibleError(shortages[correction.kind] ?? "credit_grant_insufficient", message);
  }
  invariant(result?.status === "created", `an adjustment is booked once, but was: ${result?.status}`);
}
