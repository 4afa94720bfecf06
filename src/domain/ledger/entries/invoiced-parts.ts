import { type Currency, ledgerAmount } from "../../money/index.ts";
import type { AccountRef } from "../account-ref.ts";
import { deferredRevenue, prepaidCredits, taxPayable, unpaidCredits } from "../accounts.ts";
import type { EntryAmount, EntryFacts } from "../journal-entry.ts";
import type { Share } from "../paired-postings.ts";

export interface TaxAmount {
  /** Whose tax it is, such as `us-ny`. */
  readonly jurisdiction: string;
  readonly amount: EntryAmount;
}

/** What an amount had been invoiced for that is given back, or never arrives. Without sign; together the whole. */
export interface InvoicedParts {
  /** Earned already: usage, time that was served, credits that were burned. */
  readonly used?: EntryAmount;
  /** Time invoiced in advance and not served. */
  readonly unusedTime?: readonly { readonly subscriptionId: string; readonly amount: EntryAmount }[];
  /** Paid credits not spent; the ledger refuses more than a grant holds. */
  readonly unusedCredits?: readonly { readonly grantId: string; readonly amount: EntryAmount }[];
  /** Credits invoiced and never paid, which nobody could spend. */
  readonly unpaidCredits?: readonly { readonly purchaseId: string; readonly amount: EntryAmount }[];
  readonly tax?: readonly TaxAmount[];
}

/** Where the parts are taken from: what was earned from `usedAccount`, all else from the account it waits in. */
export function sharesOfParts(
  { customerId, currency, ...parts }: Pick<EntryFacts, "customerId" | "currency"> & InvoicedParts,
  usedAccount: AccountRef,
): Share[] {
  const { used = ledgerAmount(0n), unusedTime = [], unusedCredits = [], tax = [] } = parts;
  return [
    { account: usedAccount, amount: used },
    ...unusedTime.map(({ subscriptionId, amount }) => ({
      account: deferredRevenue(customerId, subscriptionId, currency),
      amount,
    })),
    ...unusedCredits.map(({ grantId, amount }) => ({
      account: prepaidCredits(customerId, grantId, currency),
      amount,
    })),
    ...(parts.unpaidCredits ?? []).map(({ purchaseId, amount }) => ({
      account: unpaidCredits(customerId, purchaseId, currency),
      amount,
    })),
    ...sharesOfTax(tax, currency),
  ];
}

export function sharesOfTax(tax: readonly TaxAmount[], currency: Currency): Share[] {
  return tax.map(({ jurisdiction, amount }) => ({ account: taxPayable(jurisdiction, currency), amount }));
}
