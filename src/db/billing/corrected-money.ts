import type { AskedCorrection, CorrectedMoney, GrantStanding } from "../../domain/adjustments/index.ts";
import { customerBalance } from "../../domain/ledger/index.ts";
import { type Currency, ledgerAmount } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { availableBalances } from "../ledger/ledger.ts";
import { type CreditGrantStanding, findCreditGrant } from "./api-reads.ts";

/** What the money that a correction is about looks like: for good under the customer's lock, for a look without it. */
export async function correctedMoney(
  tx: Tx,
  customerId: string,
  currency: Currency,
  correction: AskedCorrection,
): Promise<CorrectedMoney> {
  const grant = "grantId" in correction ? await findCreditGrant(tx, correction.grantId) : undefined;
  const [balance] = await availableBalances(tx, [customerBalance(customerId, currency)]);
  return {
    balanceAvailable: balance?.available ?? ledgerAmount(0n),
    grant: grant ? standingOf(grant) : null,
  };
}

function standingOf(grant: CreditGrantStanding): GrantStanding {
  const { remaining, available, invoiceId, invoiceStatus, voidedAt, expiresAt } = grant;
  const isFunded = invoiceId === null || invoiceStatus === "paid";
  return { remaining, available, isFunded, isVoided: voidedAt !== null, expiresAt };
}
