import { insertGrant } from "../../db/credit-grants.ts";
import { type Database, inTransaction } from "../../db/database.ts";
import { postEntries } from "../../db/ledger.ts";
import { lockCustomer } from "../../db/subscriptions.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import { chargeMinimum } from "../../domain/invoicing/index.ts";
import { promotionalCreditsGranted } from "../../domain/ledger/index.ts";
import { formatMoney } from "../../domain/money/index.ts";
import type { TemporalGateway } from "../../temporal/gateway.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies, CreditCommands, CreditTerms } from "../dependencies.ts";
import { RequestRefusedError } from "../refusals.ts";
import { clockReadingOf } from "./clock-reading.ts";

/** Credits given, and credits sold. */
export function creditCommands(
  deps: Pick<ApiDependencies, "db" | "now">,
  gateway: TemporalGateway,
): CreditCommands {
  const { db } = deps;
  return {
    async grantPromotional(terms) {
      const at = await timeOfCustomer(deps, terms.customerId);
      const entry = promotionalCreditsGranted({
        sourceKey: `credit-grant/${terms.id}/granted`,
        customerId: terms.customerId,
        currency: terms.amount.currency,
        occurredAt: at,
        effectiveAt: at,
        grantId: terms.id,
        amount: terms.amount,
      });
      await inTransaction(db, async (tx) => {
        await lockCustomer(tx, terms.customerId);
        await insertGrant(tx, { ...rowOf(terms), kind: "promotional", effectiveAt: at, createdAt: at });
        const [result] = await postEntries(tx, [entry]);
        invariant(
          result?.status === "created" || result?.status === "exists",
          `a grant can be booked, but was: ${result?.status}`,
        );
      });
    },
    async purchase(terms) {
      requireChargeable(terms);
      const at = await timeOfCustomer(deps, terms.customerId);
      await writeDown(db, terms, at);
      const clock = await clockReadingOf(db, terms.customerId);
      return await gateway.purchaseCredits(
        { grantId: terms.id, customerId: terms.customerId, clock },
        isoOf(at),
      );
    },
  };
}

/** A purchase is charged at once, so it cannot be smaller than what can be charged. */
function requireChargeable({ amount }: CreditTerms): void {
  const minimum = chargeMinimum(amount.currency);
  if (amount.amountMinor >= minimum.amountMinor) return;
  const message = `at least ${formatMoney(minimum)} can be charged`;
  throw new RequestRefusedError("credit_purchase_too_small", message, "amount_minor");
}

/** What is bought is written down before its workflow starts: messages carry no amounts. */
async function writeDown(db: Database, terms: CreditTerms, at: Parameters<typeof isoOf>[0]): Promise<void> {
  const invoiceId = `inv_${terms.id}`;
  await insertGrant(db.orm, { ...rowOf(terms), kind: "paid", invoiceId, effectiveAt: at, createdAt: at });
}

function rowOf({ id, customerId, amount, priority, expiresAt, reason }: CreditTerms) {
  return {
    id,
    customerId,
    currency: amount.currency,
    amountMinor: amount.amountMinor,
    priority,
    expiresAt,
    reason,
  };
}
