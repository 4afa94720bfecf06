import type { AskedCorrection, CorrectedMoney } from "../domain/adjustments/index.ts";
import { customerBalance } from "../domain/ledger/index.ts";
import type { Currency } from "../domain/money/index.ts";
import { findCreditGrant } from "./api-reads.ts";
import type { Tx } from "./database.ts";
import { accountBalance } from "./ledger.ts";

/** What the money that a correction is about looks like: for good under the customer's lock, for a look without it. */
export async function correctedMoney(
  tx: Tx,
  customerId: string,
  currency: Currency,
  correction: AskedCorrection,
): Promise<CorrectedMoney> {
  const grant = "grantId" in correction ? await findCreditGrant(tx, correction.grantId) : undefined;
  return {
    balanceAvailable: await accountBalance(tx, customerBalance(customerId, currency)),
    grant:
      grant === undefined
        ? null
        : {
            remaining: grant.remaining,
            available: grant.remaining,
            isFunded: grant.invoiceId === null || grant.invoiceStatus === "paid",
            isVoided: grant.voidedAt !== null,
            expiresAt: grant.expiresAt,
          },
  };
}
