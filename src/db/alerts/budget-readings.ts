import type { AlertSubject, BudgetReading } from "../../domain/alerts/index.ts";
import type { Feature } from "../../domain/catalog/index.ts";
import {
  isLimitOf,
  type MergedEntitlement,
  mergeEntitlements,
  type OpenWindow,
  scopeOfLimit,
  sourcesOf,
  spentOn,
  windowAt,
} from "../../domain/entitlements/index.ts";
import { canonicalJson, type JsonValue } from "../../domain/metering/index.ts";
import { decimal, exactOfLedgerAmount, maxDecimal, zero } from "../../domain/money/index.ts";
import type { Database, Tx } from "../database.ts";
import type { EntitlementFacts } from "../entitlements/entitlement-facts.ts";
import { usedOfLimits, windowOfLimit } from "../entitlements/limit-usage.ts";
import type { SpendingReader } from "../entitlements/spending.ts";
import { capReadings } from "./cap-readings.ts";
import { creditStanding } from "./credit-standing.ts";

/** What readings are taken from: one moment of one customer. */
export interface ReadingFrame {
  readonly db: Database;
  readonly tx: Tx;
  readonly facts: EntitlementFacts;
  readonly spending: SpendingReader;
}

/** How the limits of a subject stand; none where the customer has no such limit now. */
export async function budgetReadings(frame: ReadingFrame, subject: AlertSubject): Promise<BudgetReading[]> {
  const { tx, facts, spending } = frame;
  switch (subject.type) {
    case "credit": {
      const { granted, left } = await creditStanding(tx, spending, facts.now);
      const allowed = exactOfLedgerAmount(granted);
      if (allowed.isZero()) return [];
      const used = maxDecimal(allowed.minus(exactOfLedgerAmount(left)), zero);
      return [{ key: "credit", windowStart: null, windowEnd: null, used, allowed }];
    }
    case "spending": {
      const { window, amountMinor } = subject;
      const open = windowAt(window, { ...frameOf(facts), cycle: facts.giving[0]?.cycle.period ?? null });
      const used = spentOn(undefined, await spending.since(open.period?.start ?? facts.now));
      return [{ ...placeOf(window, open), used, allowed: decimal(amountMinor) }];
    }
    case "spending_cap":
      return await capReadings(tx, subject.cap, facts.now);
    case "feature":
      return await featureReadings(frame, subject);
  }
}

async function featureReadings(
  frame: ReadingFrame,
  { feature: key, subject }: Extract<AlertSubject, { type: "feature" }>,
): Promise<BudgetReading[]> {
  const { facts } = frame;
  const feature = facts.features.get(key);
  if (feature === undefined) return [];
  const merged = mergeEntitlements(feature, sourcesOf(key, facts.giving, facts.grants).sources);
  if (merged === null) return [];
  if (feature.type === "budget") return await moneyBudgets(frame, feature, merged);
  return feature.type === "metered" ? await allowances(frame, feature, merged, subject) : [];
}

async function moneyBudgets(
  { facts, spending }: ReadingFrame,
  { caps }: Feature,
  { limits }: MergedEntitlement,
): Promise<BudgetReading[]> {
  const readings: BudgetReading[] = [];
  for (const { window, since, cycle, amount: allowed } of limits ?? []) {
    const open = windowAt(window, { ...frameOf(facts), since, cycle: cycle?.period ?? null });
    const used = spentOn(caps, await spending.since(open.period?.start ?? facts.now));
    readings.push({ ...placeOf(window, open), used, allowed });
  }
  return readings;
}

async function allowances(
  { db, tx, facts }: ReadingFrame,
  { meter: meterKey = "" }: Feature,
  { limits }: MergedEntitlement,
  subject: Readonly<Record<string, string>>,
): Promise<BudgetReading[]> {
  const parts = (limits ?? []).flatMap((limit) => {
    const scope = scopeOfLimit(limit, subject);
    return scope === null || !isLimitOf(limit, subject) ? [] : [{ limit, meterKey, scope }];
  });
  const windows = await Promise.all(parts.map((part) => windowOfLimit(db, facts, part)));
  const opened = parts.map((part, index) => ({ ...part, window: windows[index] ?? unopened }));
  const used = await usedOfLimits(tx, facts, opened);
  return opened.map(({ limit, window, scope }, index) => {
    const place = placeOf(limit.window, window);
    // Limits with the same window are told apart by whose usage counts in them.
    return {
      ...place,
      key: `${place.key}${textOf(scope)}`,
      used: used[index] ?? zero,
      allowed: limit.amount,
    };
  });
}

const unopened: OpenWindow = { period: null, resetsAt: null };

const textOf = (value: object): string => canonicalJson(value as unknown as JsonValue);

const frameOf = ({ now, timeZone }: EntitlementFacts) => ({ now, timeZone, since: now, openedAt: null });

/** A rolling window has no beginning that stays. */
function placeOf(
  window: { readonly type: string },
  { period, resetsAt }: OpenWindow,
): Pick<BudgetReading, "key" | "windowStart" | "windowEnd"> {
  const windowStart = window.type === "rolling" ? null : (period?.start ?? null);
  return { key: textOf(window), windowStart, windowEnd: resetsAt };
}
