import { type Database, inSnapshot, type Tx } from "../../db/database.ts";
import { type EntitlementFacts, entitlementFacts } from "../../db/entitlements/entitlement-facts.ts";
import { type SpendingReader, spendingReader } from "../../db/entitlements/spending.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import {
  addedCharges,
  decide,
  type LimitState,
  paymentOf,
  withinAllowance,
} from "../../domain/entitlements/index.ts";
import type { Dimensions, Meter } from "../../domain/metering/index.ts";
import { decimal, sumDecimals } from "../../domain/money/index.ts";
import { RequestRefusedError } from "../refusals.ts";
import { budgetStates } from "./budget-states.ts";
import {
  type AskedFeature,
  type CheckedFeature,
  type GivenFeature,
  givenFeature,
  type NextUse,
} from "./checked-feature.ts";
import { limitStates, whenItFits } from "./limit-states.ts";

/** What somebody wants to use. */
export interface EntitlementQuestion {
  readonly customerId: string;
  /** Whose usage it would be: values of dimensions, such as the user. */
  readonly subject: Dimensions;
  readonly features: readonly AskedFeature[];
}

export interface CheckedCustomer {
  readonly facts: EntitlementFacts;
  readonly features: readonly CheckedFeature[];
}

type Asked = AskedFeature & { readonly given: GivenFeature };

/**
 * Whether features may be used now: what was accepted before is counted, and all usage is of one moment. Undefined when there is no such
 * customer.
 * @param wall the time for customers without a test clock
 * @throws RequestRefusedError `feature_unknown`
 */
export async function checkEntitlements(
  db: Database,
  { customerId, subject, features }: EntitlementQuestion,
  wall: Instant,
): Promise<CheckedCustomer | undefined> {
  const facts = await entitlementFacts(db, db.snapshots, customerId, wall);
  if (facts === undefined) return undefined;
  const asked = features.map((each, index) => ({ ...each, given: knownFeature(facts, each.key, index) }));
  const checked = await usageReader(
    db,
    facts,
    asked,
  )(async (tx) => {
    const checking = { facts, subject, spending: spendingReader(tx, facts) };
    // Sent together: the database answers one after the other.
    const [states, added] = await Promise.all([
      limitStates(db, tx, facts, { asked, subject }),
      Promise.all(asked.map((each) => (isMetered(each) ? addedBy(checking, each) : null))),
    ]);
    return await Promise.all(
      asked.map((each, index) =>
        checkedFeature(tx, checking, each, states[index] ?? [], added[index] ?? null),
      ),
    );
  });
  return { facts, features: checked };
}

const isMetered = ({ given: { feature, merged } }: Asked): boolean =>
  feature.type === "metered" && merged !== null;

/** How usage is read: in a transaction, unless one statement reads it all. Its beginning and end take longer than a read. */
function usageReader(
  db: Database,
  facts: EntitlementFacts,
  asked: readonly Asked[],
): <Result>(read: (tx: Tx) => Promise<Result>) => Promise<Result> {
  const metered = asked.filter(isMetered).map(({ given }) => given.feature.meter ?? "");
  const isOneStatement = metered.every(
    (key) => !isPriced(facts, key) && addsUp(facts.meters.findLast((meter) => meter.key === key)),
  );
  const hasBudget = metered.length > 0 && budgetsOf(facts).length > 0;
  return isOneStatement && !hasBudget ? (read) => read(db.snapshots) : (read) => inSnapshot(db, read);
}

const addsUp = (meter: Pick<Meter, "aggregation"> | undefined): boolean =>
  meter?.aggregation === "count" || meter?.aggregation === "sum";

/** All that a customer has been given, with what is used of it; a limit for each of somebody is known only for a subject. */
export async function listEntitlements(
  db: Database,
  { customerId, subject }: Omit<EntitlementQuestion, "features">,
  wall: Instant,
): Promise<CheckedCustomer | undefined> {
  return await inSnapshot(db, async (tx) => {
    const facts = await entitlementFacts(db, tx, customerId, wall);
    if (facts === undefined) return undefined;
    const asked = [...facts.features.keys()].toSorted().flatMap((key): Asked[] => {
      const given = givenFeature(facts, key);
      if (given === undefined || (given.merged === null && given.hindrance === null)) return [];
      return [{ key, quantity: one, given }];
    });
    const spending = spendingReader(tx, facts);
    const states = await limitStates(db, tx, facts, { asked, subject });
    const listed = asked.map(async (each, index): Promise<CheckedFeature> => {
      const isBudget = each.given.feature.type === "budget";
      const budgets = isBudget ? await budgetStates(facts, spending, null, [each.given]) : [];
      const limits = isBudget ? budgets.map(({ state }) => state) : (states[index] ?? []);
      const known = limits.filter(({ used }) => used !== null);
      const decision = decide({ ...each.given, access: facts.access, limits: known, budgets: [] });
      return { given: each.given, asked: each, decision, limits, budgets: [], next: null };
    });
    return { facts, features: await Promise.all(listed) };
  });
}

const one = decimal("1");

function knownFeature(facts: EntitlementFacts, key: string, index: number): GivenFeature {
  const given = givenFeature(facts, key);
  if (given !== undefined) return given;
  const message = `there is no feature "${key}": check the catalog`;
  throw new RequestRefusedError("feature_unknown", message, `features[${index}].feature`);
}

interface Checking {
  readonly facts: EntitlementFacts;
  readonly spending: SpendingReader;
  readonly subject: Dimensions;
}

/** What is asked for adds this to the open periods; null where that cannot be told ahead, and of what is not metered. */
type Added = ReturnType<typeof addedCharges>;

async function checkedFeature(
  tx: Tx,
  { facts, spending, subject }: Checking,
  asked: Asked,
  limits: readonly LimitState[],
  added: Added,
): Promise<CheckedFeature> {
  const { given, value } = asked;
  const budgets = isMetered(asked)
    ? await budgetStates(facts, spending, { feature: given.feature, added }, budgetsOf(facts))
    : [];
  const decided = decide({ ...given, access: facts.access, limits, budgets, value });
  const decision = await whenItFits(tx, facts, decided, { asked, subject });
  return {
    given,
    asked,
    decision,
    limits: limits.map((state) => (state === decided.limit ? (decision.limit ?? state) : state)),
    budgets,
    next: isMetered(asked) ? await nextUse(facts, spending, asked, added, subject.user) : null,
  };
}

/** Of all budgets that the customer has. */
export const budgetsOf = (facts: EntitlementFacts): GivenFeature[] =>
  [...facts.features.values()].flatMap(({ key, type }) => {
    const given = type === "budget" ? givenFeature(facts, key) : undefined;
    return given === undefined || given.merged === null ? [] : [given];
  });

const isPriced = ({ giving }: EntitlementFacts, meterKey: string): boolean =>
  giving.some(({ plans }) =>
    plans.some(({ prices }) => prices.some((price) => price.type === "usage" && price.meter === meterKey)),
  );

/** What using so much adds to the charges of open periods. */
export async function addedBy(
  { facts, spending, subject }: Checking,
  { given, quantity }: Pick<Asked, "given" | "quantity">,
): Promise<Added> {
  const meterKey = given.feature.meter ?? "";
  if (!isPriced(facts, meterKey)) return [];
  const names = facts.meters.findLast(({ key }) => key === meterKey)?.dimensions ?? [];
  const dimensions = Object.fromEntries(names.map((name) => [name, subject[name] ?? ""]));
  const more = { meterKey, quantity, dimensions, at: facts.now };
  const added = (await spending.open()).map((used) => addedCharges(used, more));
  return added.some((each) => each === null) ? null : added.flatMap((each) => each ?? []);
}

async function nextUse(
  { now }: EntitlementFacts,
  spending: SpendingReader,
  { quantity }: Asked,
  added: Added,
  user: string | undefined,
): Promise<NextUse> {
  if (added === null) return { quantity, cost: null };
  const exactMinor = sumDecimals(added.map((each) => each.exactMinor));
  const paidFrom = added.length === 0 ? withinAllowance : paymentOf(added, await spending.means(user), now);
  return { quantity, cost: { exactMinor, paidFrom } };
}
