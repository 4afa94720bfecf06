import type { Instant } from "../../domain/calendar/index.ts";
import {
  type AgreedRecurring,
  type CreditGrant,
  expectedGrants,
  grantsAfter,
} from "../../domain/credits/index.ts";
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

/**
 * Grants as they will stand: with recurring credit that will have been given by then, without what has run out of time before
 * every period that is open.
 * @param known ids of all that were there before, none of which is given again; those that are given are added
 */
export function keptUpGrants(
  grants: readonly CreditGrant[],
  subscriptions: readonly ForeseenSubscription[],
  {
    at,
    recurring,
    known,
  }: {
    readonly at: Instant;
    readonly recurring: readonly AgreedRecurring[];
    readonly known: Set<string>;
  },
): CreditGrant[] {
  const given = expectedGrants(recurring, at).filter(({ id }) => !known.has(id));
  for (const { id } of given) known.add(id);
  const open = subscriptions.filter(({ row }) => row.nextCloseAt !== null);
  const isOver = ({ expiresAt }: CreditGrant) =>
    expiresAt !== null && expiresAt <= at && open.every(({ row }) => row.billedThrough >= expiresAt);
  return grantsAfter([...grants, ...given], recurring, isOver);
}
