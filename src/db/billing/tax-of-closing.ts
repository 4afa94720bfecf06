import type { Instant } from "../../domain/calendar/index.ts";
import {
  type ClosedTogether,
  type PeriodFacts,
  type TaxablePart,
  taxableParts,
} from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import type { StoredSeller } from "./seller.ts";
import type { StoredSubscription } from "./subscriptions.ts";
import { type TaxStanding, taxStandingOf } from "./tax-choices.ts";
import { findTaxGiven, type StoredTax, taxedInvoice, taxQuoteOf } from "./tax-given.ts";

/** The tax on an invoice that closes periods. */
export interface TaxOfClosing {
  readonly standing: TaxStanding;
  /** What tax is to be reckoned on; empty where nobody does. */
  readonly taxable: readonly TaxablePart[];
  /** Names those; null where there are none. */
  readonly quote: string | null;
  /** For exactly these; undefined as long as nothing was given. */
  readonly tax: StoredTax | undefined;
}

/**
 * Who reckons the tax on an invoice that closes periods of one customer, on what, and what was given for exactly that.
 * @param closed what the periods come to without tax
 * @param seller where that was read before; null: nobody said who sells
 */
export async function taxOfClosing(
  tx: Tx,
  periods: readonly { readonly row: StoredSubscription; readonly facts: PeriodFacts }[],
  closed: ClosedTogether,
  {
    customerId,
    at,
    seller,
  }: {
    readonly customerId: string;
    readonly at: Instant;
    readonly seller?: StoredSeller | null | undefined;
  },
): Promise<TaxOfClosing> {
  const standing = await taxStandingOf(tx, { customerId, at }, seller);
  const { handling, basis } = standing;
  const taxable = handling === "none" ? [] : taxableParts(closed, basis);
  if (taxable.length === 0) return { standing, taxable, quote: null, tax: undefined };
  const of = taxedInvoice(
    periods.map(({ row: { id: subscriptionId }, facts: { period } }) => ({ subscriptionId, period })),
    closed,
  );
  const quote = taxQuoteOf(of, basis, taxable);
  return { standing, taxable, quote, tax: await findTaxGiven(tx, customerId, quote) };
}
