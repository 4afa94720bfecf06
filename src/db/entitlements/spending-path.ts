import { type Instant, instant, isoOf, type Period, periodIndexAt } from "../../domain/calendar/index.ts";
import type { LimitWindow } from "../../domain/catalog/index.ts";
import type { CreditGrant } from "../../domain/credits/index.ts";
import {
  type ChargingSubscription,
  capsChangeAt,
  type EffectiveCap,
  effectiveCaps,
  levelOf,
  type PayingGrant,
  payingChangesAt,
  payingGrants,
  type SpenderLevel,
  type SpenderOfCap,
  type SpendingCap,
  windowAt,
} from "../../domain/entitlements/index.ts";
import { invariant } from "../../domain/errors.ts";
import { pricedTerms, termsAt } from "../../domain/invoicing/index.ts";
import { type Decimal, storedDecimal } from "../../domain/money/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import { grantsOfCustomer } from "../billing/credit-grants.ts";
import { anchoredPeriodAt, anchorsOf } from "../billing/subscriptions.ts";
import { type Database, rows, sql } from "../database.ts";
import { metersOfPeriod, newestVersions, type StoredMeter } from "../usage/meters-in-force.ts";
import { type EntitlementFacts, entitlementFacts } from "./entitlement-facts.ts";
import { openedWindow } from "./opened-cap-window.ts";
import { creditPolicyOfCustomer } from "./spending.ts";

/** Where a request of a user counts: in each of these as much as it holds or costs. */
export interface SpendingSlot {
  /** `billing.spending_counter.number` */
  readonly counter: bigint;
  readonly capId: string | null;
  readonly level: SpenderLevel;
  readonly holder: string;
  /** In minor units; null: it is counted, and nothing is denied. */
  readonly limit: Decimal | null;
  readonly resetsAt: Instant | null;
}

/** All that is known of requests of one user of a customer, until it changes. */
export interface SpendingPath {
  readonly facts: EntitlementFacts;
  /** One version of each: that which measures the period that is open. */
  readonly meters: readonly StoredMeter[];
  /** Those that charge, by the prices of now. */
  readonly charging: readonly ChargingSubscription[];
  /** Since when they have charged by these prices. */
  readonly chargingSince: Instant;
  /** `billing.spender.number`, from the narrowest to the widest. */
  readonly spenders: readonly bigint[];
  readonly slots: readonly SpendingSlot[];
  /** What pays before money does, in its order; what there is of it is looked at when it is set aside. */
  readonly paying: readonly PayingGrant[];
  /** Of each customer whose changes would change this. */
  readonly revisions: ReadonlyMap<string, bigint>;
  /** It holds until then, unless a revision is another. */
  readonly until: Instant;
}

interface PathFound {
  readonly path: readonly number[];
  readonly user: number | null;
  readonly revisions: Readonly<Record<string, number>>;
  readonly changesAt: string | null;
  readonly caps: readonly CapFound[];
}

interface CapFound {
  readonly id: string;
  readonly spender: number;
  readonly kind: SpenderOfCap["kind"];
  readonly key: string;
  readonly customer: string;
  readonly isRaise: boolean;
  readonly eachUser: boolean;
  readonly amountMinor: string;
  readonly window: LimitWindow;
  readonly effectiveAt: string;
  readonly expiresAt: string | null;
}

/** What is remembered of a customer is read anew after so long, whatever was or was not noticed. */
const rememberedMsMax = 60_000;

/**
 * Finds out where requests of a user count, and by which prices they are charged. Undefined when there is no such customer.
 * @param wall the time for customers without a test clock
 */
export async function spendingPath(
  db: Database,
  { customerId, user }: { readonly customerId: string; readonly user: string | null },
  wall: Instant,
): Promise<SpendingPath | undefined> {
  // Before the facts: what is newer than its revision is taken for outdated once too often, never once too seldom.
  const [answer] = await rows<{ found: PathFound }>(
    db.orm,
    sql`select billing.spending_path(${customerId}, ${user}, ${isoOf(wall)}::timestamptz) as found`,
  );
  invariant(answer !== undefined, "a path is always found");
  const facts = await entitlementFacts(db, db.snapshots, customerId, wall);
  if (facts === undefined) return undefined;
  const { path, user: own, revisions, changesAt } = answer.found;
  const grants = facts.hasCredit ? await grantsOfCustomer(db.orm, customerId) : [];
  const way = { spenders: path.map(BigInt), user: own === null ? null : BigInt(own) };
  const caps = answer.found.caps.map(capOf);
  const windows = await windowsOf(db, { facts, user, wall }, effectiveCaps(caps, facts.now));
  const counters = await openCounters(db, user, windows);
  const slots = windows.map(({ cap, period }, index): SpendingSlot => {
    const counter = counters[index];
    invariant(counter !== undefined, "every window has a counter");
    const { capId, limit } = cap;
    const holder = cap.eachUser ? (user ?? "") : cap.spender.key;
    const resetsAt = cap.window.type === "never" ? null : period.end;
    return { counter, capId, limit, level: levelOf(cap, customerId), holder, resetsAt };
  });
  return {
    facts,
    meters: await metersNow(db, facts),
    charging: chargingAt(facts, facts.now),
    chargingSince: chargingSince(facts),
    spenders: way.spenders,
    slots,
    paying: payingGrants(ofCurrency(grants, facts), way, facts.now, creditPolicyOfCustomer(facts).burnOrder),
    revisions: new Map(Object.entries(revisions).map(([id, revision]) => [id, BigInt(revision)])),
    until: earliest(facts.now, [
      facts.now + rememberedMsMax,
      changesAt === null ? null : instant(changesAt),
      capsChangeAt(caps, facts.now),
      payingChangesAt(grants, facts.now),
      ...slots.map(({ resetsAt }) => resetsAt),
      ...facts.subscriptions.flatMap(({ row, terms }) => [
        row.cancelAt,
        anchoredPeriodAt(row, facts.now).period.end,
        ...terms.map(({ effectiveAt }) => effectiveAt),
      ]),
    ]),
  };
}

const ofCurrency = (grants: readonly CreditGrant[], { currency }: EntitlementFacts): CreditGrant[] =>
  grants.filter((grant) => grant.currency === currency);

const earliest = (after: Instant, instants: readonly (number | null)[]): Instant =>
  Math.min(...instants.flatMap((at) => (at !== null && at > after ? [at] : []))) as Instant;

function capOf(found: CapFound): SpendingCap {
  const { id, isRaise, eachUser, amountMinor, window, effectiveAt, expiresAt } = found;
  return {
    ...{ id, isRaise, eachUser, window },
    spender: {
      number: BigInt(found.spender),
      kind: found.kind,
      key: found.key,
      customerId: found.customer,
    },
    amount: storedDecimal(amountMinor),
    effectiveAt: instant(effectiveAt),
    expiresAt: expiresAt === null ? null : instant(expiresAt),
  };
}

/** Subscriptions by whose prices usage at an instant is charged, as the closing of its period finds them. */
export function chargingAt({ subscriptions }: EntitlementFacts, at: Instant): ChargingSubscription[] {
  return subscriptions.flatMap(({ row, terms }) => {
    const [first] = terms;
    const hasEnded = row.cancelAt !== null && row.cancelAt <= at;
    if (hasEnded || first === undefined || first.effectiveAt > at || isNeverCharged(row.status)) return [];
    const { period } = anchoredPeriodAt(row, at);
    const index = periodIndexAt(anchorsOf(row), period.start);
    return pricedTerms([termsAt(terms, at)], index).map((priced) => ({ id: row.id, terms: priced }));
  });
}

async function metersNow(db: Database, facts: EntitlementFacts): Promise<readonly StoredMeter[]> {
  const { meters, giving, customerId, isOnTestClock } = facts;
  if (new Set(meters.map(({ key }) => key)).size === meters.length) return meters;
  const [first] = giving;
  if (first === undefined) return newestVersions(meters);
  return await metersOfPeriod(db.orm, meters, { customerId, period: first.cycle.period, isOnTestClock });
}

function chargingSince({ subscriptions, now }: EntitlementFacts): Instant {
  const changes = subscriptions.flatMap(({ row, terms }) => [
    anchoredPeriodAt(row, now).period.start,
    ...(row.cancelAt === null ? [] : [row.cancelAt]),
    ...terms.map(({ effectiveAt }) => effectiveAt),
  ]);
  return Math.max(epoch, ...changes.filter((at) => at <= now)) as Instant;
}

const isNeverCharged = (status: string) => status === "incomplete" || status === "incomplete_expired";

interface CapWindow {
  readonly cap: EffectiveCap;
  readonly period: Period;
}

async function windowsOf(
  db: Database,
  {
    facts,
    user,
    wall,
  }: { readonly facts: EntitlementFacts; readonly user: string | null; readonly wall: Instant },
  caps: readonly EffectiveCap[],
): Promise<CapWindow[]> {
  const windows: CapWindow[] = [];
  for (const cap of caps) {
    const { customerId } = cap.spender;
    // A pool's months and billing cycles are those of the customer who pays.
    const own = customerId === facts.customerId;
    const of = own ? facts : await entitlementFacts(db, db.snapshots, customerId, wall);
    invariant(of !== undefined, "a spender is of a customer");
    const openedAt = cap.window.type === "first_use" ? await openedWindow(db, cap, user, facts.now) : null;
    windows.push({ cap, period: windowOfCap(cap, of, { now: facts.now, openedAt }) });
  }
  return windows;
}

const epoch = instant("0001-01-01T00:00:00Z");

function windowOfCap(
  { window }: EffectiveCap,
  { timeZone, giving }: EntitlementFacts,
  { now, openedAt }: { readonly now: Instant; readonly openedAt: Instant | null },
): Period {
  if (window.type === "never") return { start: epoch, end: epoch };
  const cycle = giving[0]?.cycle.period ?? null;
  const { period } = windowAt(window, { now, timeZone, since: epoch, cycle, openedAt });
  invariant(period !== null, "a cap's window has a beginning and an end");
  return period;
}

async function openCounters(
  db: Database,
  user: string | null,
  windows: readonly CapWindow[],
): Promise<readonly bigint[]> {
  if (windows.length === 0) return [];
  const list = (textOf: (window: CapWindow) => string | null) => arrayLiteral(windows.map(textOf));
  const [row] = await db.sql<[{ counters: bigint[] }]>`
    select billing.open_counters(
      ${list(({ cap }) => `${cap.spender.number}`)}::text::int8[], ${list(({ cap }) => (cap.eachUser ? user : null))}::text::text[],
      ${list(({ cap }) => cap.windowKey)}::text::text[], ${list(({ period }) => isoOf(period.start))}::text::timestamptz[],
      ${list(({ cap, period }) => (cap.window.type === "never" ? null : isoOf(period.end)))}::text::timestamptz[]
    ) as counters`;
  return row.counters;
}
