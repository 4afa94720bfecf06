import type { AgreedRecurring, CreditGrant } from "../../domain/credits/index.ts";
import type { InvoicingChoice } from "../../domain/invoicing/index.ts";
import { currency, type Money } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { publishedMeters, type StoredMeter } from "../usage/meters-in-force.ts";
import { grantsOfCustomer } from "./credit-grants.ts";
import { balanceOfCustomer } from "./customer-balance.ts";
import { invoicingChoices } from "./customer-invoicing.ts";
import { findCustomer } from "./customers.ts";
import { type ForeseenSubscription, foreseenSubscription } from "./foreseen-subscription.ts";
import { carriedAmount } from "./invoices.ts";
import { agreedRecurring } from "./recurring-grants.ts";
import { type StoredSubscription, subscriptionsOfCustomer } from "./subscriptions.ts";

/** What a customer pays with, as it will stand. */
export interface Means {
  readonly grants: readonly CreditGrant[];
  readonly customerBalance: Money;
  readonly carried: Money;
}

/** All that what is ahead of a customer begins with, as it stands now. */
export interface ForeseenCustomer {
  readonly isOnTestClock: boolean;
  readonly published: readonly StoredMeter[];
  readonly recurring: readonly AgreedRecurring[];
  readonly choices: readonly InvoicingChoice[];
  readonly subscriptions: readonly ForeseenSubscription[];
  readonly means: Means;
}

/** The customer of a subscription, in its currency. */
export async function foreseenCustomer(
  tx: Tx,
  { customerId, currency: code }: StoredSubscription,
): Promise<ForeseenCustomer> {
  const inCurrency = currency(code);
  const [customer, published, recurring, choices, rows, grants, customerBalance, carried] = await Promise.all(
    [
      findCustomer(tx, customerId),
      publishedMeters(tx),
      agreedRecurring(tx, customerId),
      invoicingChoices(tx, customerId),
      subscriptionsOfCustomer(tx, customerId),
      grantsOfCustomer(tx, customerId),
      balanceOfCustomer(tx, customerId, inCurrency),
      carriedAmount(tx, customerId, inCurrency),
    ],
  );
  const subscriptions: ForeseenSubscription[] = [];
  for (const row of rows.filter(({ nextCloseAt }) => nextCloseAt !== null)) {
    subscriptions.push(await foreseenSubscription(tx, row));
  }
  const means = { grants, customerBalance, carried };
  const isOnTestClock = customer?.testClockId != null;
  const known = { isOnTestClock, published, recurring, choices };
  return { ...known, subscriptions, means };
}
