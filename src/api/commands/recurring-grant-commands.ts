import {
  endRecurring,
  findRecurring,
  insertRecurring,
  insertRecurringDecision,
  nextInstant,
} from "../../db/billing/recurring-grants.ts";
import { lockCustomer } from "../../db/billing/subscriptions.ts";
import { inTransaction } from "../../db/database.ts";
import type { ApprovalLimits } from "../../domain/adjustments/index.ts";
import { totalOf } from "../../domain/credits/index.ts";
import {
  type Currency,
  exactOfLedgerAmount,
  type LedgerAmount,
  roundToMinor,
} from "../../domain/money/index.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies, RecurringGrantCommands, RecurringGrantRequest } from "../dependencies.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { requireDecidable } from "./require-decidable.ts";

/** Credit that is given again and again. Giving it is the workers'; here it is agreed to, and ended. */
export function recurringGrantCommands(
  deps: Pick<ApiDependencies, "db" | "now"> & { readonly approvalLimits: ApprovalLimits },
): RecurringGrantCommands {
  const { db, approvalLimits } = deps;
  return {
    async request(request, { actor }) {
      const { customerId, currency } = request;
      const requestedAt = await timeOfCustomer(deps, customerId);
      await inTransaction(db, async (tx) => {
        await lockCustomer(tx, customerId);
        await insertRecurring(tx, {
          ...termsOf(request),
          requestedBy: actor,
          requestedAt,
          approvalLimitMinor: approvalLimits.get(currency)?.amountMinor ?? null,
        });
      });
    },

    async decide(decision, { actor: decidedBy }) {
      const { recurringGrantId: id, outcome, note } = decision;
      const { customerId } = found(await findRecurring(db.orm, id), "recurring_grant", id);
      const decidedAt = await timeOfCustomer(deps, customerId);
      await inTransaction(db, async (tx) => {
        await lockCustomer(tx, customerId);
        const stored = found(await findRecurring(tx, id), "recurring_grant", id);
        if (stored.outcome === outcome && stored.decidedBy === decidedBy) return;
        requireDecidable("recurring_grant", stored, decision, decidedBy);
        await insertRecurringDecision(tx, { recurringGrantId: id, outcome, decidedBy, note, decidedAt });
      });
    },

    async end({ recurringGrantId: id, reason }, { actor: endedBy }) {
      const { customerId } = found(await findRecurring(db.orm, id), "recurring_grant", id);
      const endedAt = await timeOfCustomer(deps, customerId);
      await inTransaction(db, async (tx) => {
        await lockCustomer(tx, customerId);
        const { status } = found(await findRecurring(tx, id), "recurring_grant", id);
        if (status === "ended") return;
        if (status !== "active") {
          throw new RequestRefusedError(
            "recurring_grant_not_active",
            `it is ${status}: nothing is given by it`,
          );
        }
        await endRecurring(tx, { recurringGrantId: id, endedBy, endedAt, reason });
      });
    },
  };
}

function termsOf({ customerId, currency, grant, reasonCode, reason }: RecurringGrantRequest) {
  const { id, priority, scope = null, recurrence, rollover } = grant;
  const { anchor, effectiveAt, expiresAt, first } = recurrence;
  const total = totalOf(grant);
  const minor = (amount: LedgerAmount) => minorOf(amount, currency);
  return {
    ...{ id, customerId, currency, priority, scope, effectiveAt, expiresAt, first, reasonCode, reason },
    amountMinor: minor(grant.amount),
    anchorAt: anchor.at,
    intervalUnit: anchor.interval.unit,
    intervalCount: anchor.interval.count,
    timeZone: anchor.timeZone,
    rolloverMinMinor: rollover === null ? null : minor(rollover.min),
    rolloverMaxMinor: rollover === null ? null : minor(rollover.max),
    rolloverCapMinor: rollover === null || rollover.cap === null ? null : minor(rollover.cap),
    rolloverMonths: rollover?.lifetimeMonths ?? null,
    totalMinor: total === null ? null : minor(total),
    nextOccurrence: 0,
    nextAt: nextInstant(grant, 0),
  };
}

/** Exact: what is agreed to is whole minor units. */
const minorOf = (amount: LedgerAmount, currency: Currency): bigint =>
  roundToMinor(exactOfLedgerAmount(amount), currency).amountMinor;
