import { customerBalance } from "../../domain/ledger/index.ts";
import {
  type Currency,
  exactOfLedgerAmount,
  type LedgerAmount,
  type Money,
  roundToMinor,
} from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { accountBalance } from "../ledger/ledger.ts";

/** What we owe the customer, to be set against coming invoices; from the ledger, in whole minor units. */
export async function balanceOfCustomer(tx: Tx, customerId: string, currency: Currency): Promise<Money> {
  return balanceInMinorUnits(await accountBalance(tx, customerBalance(customerId, currency)), currency);
}

/** The part of a balance that an invoice can be paid with. */
export const balanceInMinorUnits = (balance: LedgerAmount, currency: Currency): Money =>
  roundToMinor(exactOfLedgerAmount(balance), currency, "down");
