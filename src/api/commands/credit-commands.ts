import { insertGrant } from "../../db/billing/credit-grants.ts";
import { requiredTax } from "../../db/billing/tax-ahead.ts";
import { taxedAtOnce } from "../../db/billing/tax-given.ts";
import type { Database } from "../../db/database.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { chargeMinimum, creditPurchaseLine } from "../../domain/invoicing/index.ts";
import { formatMoney } from "../../domain/money/index.ts";
import type { TemporalGateway } from "../../temporal/gateway.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies, CreditCommands, CreditTerms } from "../dependencies.ts";
import { RequestRefusedError } from "../refusals.ts";
import { clockReadingOf } from "./clock-reading.ts";

/** Credits that are sold; the workflow of a purchase invoices and collects them. */
export function creditCommands(
  deps: Pick<ApiDependencies, "db" | "now">,
  gateway: TemporalGateway,
): CreditCommands {
  const { db } = deps;
  return {
    async purchase(terms) {
      requireChargeable(terms);
      const at = await timeOfCustomer(deps, terms.customerId);
      await requireTax(db, terms, at);
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

/** Refused before anything is written down: a purchase is invoiced at once. */
async function requireTax({ orm }: Database, { id, customerId, amount }: CreditTerms, at: Instant) {
  const lines = [creditPurchaseLine({ grantId: id, amount, at })];
  await requiredTax(orm, { customerId, of: taxedAtOnce.purchase(customerId), lines, at });
}

/** What is bought is written down before its workflow starts: messages carry no amounts. */
async function writeDown(db: Database, terms: CreditTerms, at: Instant): Promise<void> {
  const invoiceId = `inv_${terms.id}`;
  const { amount, startsAt = at, scope = null, ...rest } = terms;
  const effectiveAt = startsAt > at ? startsAt : at;
  const times = { effectiveAt, createdAt: at };
  await insertGrant(db.orm, { ...rest, ...amount, ...times, scope, kind: "paid", invoiceId });
}
