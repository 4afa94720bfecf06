import { type Instant, instant, isoOf } from "../../domain/calendar/index.ts";
import type { Entitlement, Feature } from "../../domain/catalog/index.ts";
import type { FeatureGrant, GivingSubscription } from "../../domain/entitlements/index.ts";
import { type Terms, termsAt } from "../../domain/invoicing/index.ts";
import { isTerminal } from "../../domain/lifecycle/index.ts";
import { accessOfCustomer, fullAccess, type InvoiceAccess } from "../billing/access.ts";
import { knownCatalog, metersKnown } from "../billing/known-catalog.ts";
import { anchoredPeriodAt, type StoredSubscription } from "../billing/subscriptions.ts";
import { termsOfRows } from "../billing/terms-histories.ts";
import { type Database, rows, sql, type Tx } from "../database.ts";
import { rowOfJson } from "../json-row.ts";
import { subscription, subscriptionTerms } from "../schema/billing.ts";
import type { StoredMeter } from "../usage/meters-in-force.ts";
import { featuresKnown } from "./known-features.ts";

/** All of a customer that decides what may be used, beside usage, as of one moment. */
export interface EntitlementFacts {
  readonly customerId: string;
  /** The customer's time. */
  readonly now: Instant;
  readonly isOnTestClock: boolean;
  readonly timeZone: string;
  readonly currency: string;
  readonly access: InvoiceAccess;
  /** The newest version of each, by key. */
  readonly features: ReadonlyMap<string, Feature>;
  /** Every version of every meter. */
  readonly meters: readonly StoredMeter[];
  /** That have not ended, in the order in which they began. */
  readonly giving: readonly GivingSubscription[];
  /** All that there ever were, with all that was agreed. */
  readonly subscriptions: readonly AgreedSubscription[];
  /** In force. */
  readonly grants: readonly FeatureGrant[];
  /** Windows of first use that are open. */
  readonly windows: readonly KnownWindow[];
  /** Whether there is credit that may pay. */
  readonly hasCredit: boolean;
  /** Whether an invoice is not paid, so that access goes by its policy. */
  readonly hasDunning: boolean;
  /** When grants or subscriptions that are not in force yet will be, or are ended before their time; null when there are none. */
  readonly changesAt: Instant | null;
}

export interface AgreedSubscription {
  readonly row: StoredSubscription;
  /** Ascending. */
  readonly terms: readonly Terms[];
}

export interface KnownWindow {
  readonly meter: string;
  readonly subject: Readonly<Record<string, string>>;
  readonly lengthMs: number;
  readonly openedAt: Instant;
}

type JsonRow = Readonly<Record<string, unknown>>;

interface FactsFound {
  readonly now: string;
  readonly isOnTestClock: boolean;
  readonly timeZone: string;
  readonly currency: string;
  readonly metersPublished: number;
  readonly featuresPublished: number;
  readonly subscriptions: readonly { readonly row: JsonRow; readonly terms: readonly JsonRow[] | null }[];
  readonly grants: readonly {
    readonly id: string;
    readonly kind: FeatureGrant["kind"];
    readonly entitlement: Entitlement;
    readonly effectiveAt: string;
    readonly expiresAt: string | null;
  }[];
  readonly windows: readonly (Omit<KnownWindow, "openedAt"> & { readonly openedAt: string })[];
  readonly hasDunning: boolean;
  readonly hasCredit: boolean;
  readonly changesAt: string | null;
}

/**
 * Reads what decides, in one statement as a rule: versions of plans, features and meters are remembered from before, and
 * access is looked at closer where an invoice is not paid. Undefined when there is no such customer.
 * @param wall the time for customers without a test clock
 */
export async function entitlementFacts(
  db: Database,
  tx: Tx,
  customerId: string,
  wall: Instant,
): Promise<EntitlementFacts | undefined> {
  const [answer] = await rows<{ found: FactsFound | null }>(
    tx,
    sql`select billing.entitlement_facts(${customerId}, ${isoOf(wall)}::timestamptz) as found`,
  );
  const found = answer?.found;
  if (found == null) return undefined;
  const known = knownCatalog(db);
  const now = instant(found.now);
  const subscriptions = await agreedSubscriptions(tx, found, known.plans);
  return {
    customerId,
    now,
    isOnTestClock: found.isOnTestClock,
    timeZone: found.timeZone,
    currency: found.currency,
    access: found.hasDunning ? await accessOfCustomer(tx, customerId, now) : fullAccess,
    features: await featuresKnown(db, tx, found.featuresPublished),
    meters: await metersKnown(tx, known, found.metersPublished),
    giving: subscriptions.filter(isGiving(now)).map((agreed) => givingAt(agreed, now)),
    subscriptions,
    grants: found.grants.map(({ effectiveAt, expiresAt, ...grant }) => ({
      ...grant,
      effectiveAt: instant(effectiveAt),
      expiresAt: expiresAt === null ? null : instant(expiresAt),
    })),
    windows: found.windows.map((window) => ({ ...window, openedAt: instant(window.openedAt) })),
    hasCredit: found.hasCredit,
    hasDunning: found.hasDunning,
    changesAt: found.changesAt === null ? null : instant(found.changesAt),
  };
}

async function agreedSubscriptions(
  tx: Tx,
  { subscriptions }: FactsFound,
  known: ReturnType<typeof knownCatalog>["plans"],
): Promise<AgreedSubscription[]> {
  const agreed: AgreedSubscription[] = [];
  for (const { row, terms } of subscriptions) {
    const stored = (terms ?? []).map((each) => rowOfJson(subscriptionTerms, each));
    agreed.push({ row: rowOfJson(subscription, row), terms: await termsOfRows(tx, stored, known) });
  }
  return agreed;
}

/** An end that is agreed for an instant counts from then on, whoever has written it down. */
const isGiving =
  (now: Instant) =>
  ({ row, terms: [first] }: AgreedSubscription): boolean =>
    !isTerminal(row.status) &&
    (row.cancelAt === null || now < row.cancelAt) &&
    first !== undefined &&
    first.effectiveAt <= now;

function givingAt({ row, terms }: AgreedSubscription, now: Instant): GivingSubscription {
  const { id, status, startedAt, cancelAt } = row;
  const { items, usage } = termsAt(terms, now);
  return {
    ...{ id, status, startedAt, cancelAt },
    isUsageRefused: usage === "refused",
    cycle: { subscriptionId: id, period: anchoredPeriodAt(row, now).period },
    plans: items.map(({ plan }) => plan),
  };
}
