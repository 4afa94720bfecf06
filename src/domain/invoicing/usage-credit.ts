import type { Instant, Period } from "../calendar/index.ts";
import {
  burnCharges,
  type ChargesBurn,
  type CreditGrant,
  type CreditPolicy,
  type LineDraw,
  type UsageCharge,
  usualCreditPolicy,
} from "../credits/index.ts";
import { type Decimal, type LedgerAmount, ledgerAmount, ledgerAmountOfExact, zero } from "../money/index.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import { drawReserved, grantsLessReserved, type ReservedCredit } from "./reserved-credit.ts";
import { type Terms, termsAt } from "./terms.ts";
import type { RatedUsage } from "./usage-charges.ts";

/** What usage came to until an instant inside its period, rated as the whole of it is. */
export interface RatedUntil {
  readonly at: Instant;
  readonly rated: readonly RatedUsage[];
  /** The same of what had been reported when the period was billed before; left out where it was not. */
  readonly before?: readonly RatedUsage[];
}

/** What pays for usage besides money, and by which rules. */
export interface UsageCredit {
  readonly grants: readonly CreditGrant[];
  readonly asOf: Instant;
  /** The usual policy when left out. */
  readonly creditPolicy?: CreditPolicy;
  /** The billing periods that the lines are of; a line that is of none is of its own. */
  readonly billed?: readonly Period[];
  /** For each instant at which a grant takes effect or ends inside one of these periods; without it, a line is used all at once. */
  readonly ratedUntil?: readonly RatedUntil[];
  /** What receipts say that credit has paid: drawn first, whatever grants would pay next. */
  readonly reserved?: readonly ReservedCredit[];
  /** All that was agreed: which feature a price belongs to is said by the version of the plan that rated it. */
  readonly terms?: readonly Terms[];
}

const usageKinds: ReadonlySet<string> = new Set(["usage", "late_usage", "discount", "cap", "overage"]);

/**
 * Whether a line is for metered usage, which credits may pay: after discounts and caps, with what it costs beyond a commitment.
 * What is missing to a minimum or a commitment was not used, so money pays it.
 */
export function isUsage({ kind, earning }: InvoiceLine): boolean {
  return earning === "unbilled" && usageKinds.has(kind);
}

/** Pays the usage among an invoice's lines; a draw names its line by its place, from 0. */
export function creditFor(lines: readonly InvoiceLine[], credit: UsageCredit): ChargesBurn {
  const { grants, asOf, creditPolicy = usualCreditPolicy, reserved = [] } = credit;
  const { draws: ofReceipts, payable } = drawReserved(lines, payableAmounts(lines), reserved, grants);
  const features = featuresByPrice(credit.terms ?? []);
  const charges = lines.flatMap((line, index) => {
    const amount = payable[index] ?? 0n;
    if (amount <= 0n) return [];
    return chargesOf(
      { line, index, feature: features.get(sourceKey(line.source)) },
      ledgerAmount(amount),
      credit,
    );
  });
  const burned = burnCharges(grantsLessReserved(grants, reserved), charges, asOf, creditPolicy);
  const draws = lineByLine([...ofReceipts, ...burned.draws]);
  const drawn = draws.reduce((sum, { amount }) => sum + amount, 0n);
  const used = lines.reduce(
    (sum, line) => sum + (isUsage(line) ? ledgerAmountOfExact(line.exactMinor) : 0n),
    0n,
  );
  return { draws, uncovered: ledgerAmount(used - drawn) };
}

/** Several draws of one line from one grant are one, in the place of the first. */
function lineByLine(draws: readonly LineDraw[]): LineDraw[] {
  const groups = Map.groupBy(draws, ({ line, grantId }) => `${line}/${grantId}`);
  return [...groups.values()]
    .flatMap(([first, ...others]) => {
      if (first === undefined) return [];
      const amount = others.reduce((sum, draw) => sum + draw.amount, first.amount as bigint);
      return [{ ...first, amount: ledgerAmount(amount) }];
    })
    .toSorted((one, other) => one.line - other.line);
}

/** The prices that belong to a feature, by where their lines come from. */
function featuresByPrice(terms: readonly Terms[]): ReadonlyMap<string, string> {
  const plans = new Set(terms.flatMap(({ items }) => items.map(({ plan }) => plan)));
  return new Map(
    [...plans].flatMap(({ key, version, prices }) =>
      prices.flatMap((price): [string, string][] => {
        if (price.feature === undefined) return [];
        return [[sourceKey({ planKey: key, planVersion: version, priceKey: price.key }), price.feature]];
      }),
    ),
  );
}

const sourceKey = (source: InvoiceLine["source"]): string =>
  JSON.stringify([source?.planKey, source?.planVersion, source?.priceKey]);

/** What there is to pay of each line. What is taken off lowers the same charge, then those of the product, then the others. */
function payableAmounts(lines: readonly InvoiceLine[]): bigint[] {
  const amounts = lines.map((line): bigint => (isUsage(line) ? ledgerAmountOfExact(line.exactMinor) : 0n));
  const payable = amounts.map((amount) => (amount > 0n ? amount : 0n));
  const ofCharge = openPlaces(lines, chargeKey);
  const ofProduct = openPlaces(lines, ({ product }) => product);
  const all = openPlaces(lines, () => "");
  for (const [index, line] of lines.entries()) {
    const off = -(amounts[index] ?? 0n);
    if (off <= 0n) continue;
    const ofOthers = takeOff(payable, ofCharge.get(chargeKey(line)), off);
    const ofAll = takeOff(payable, ofProduct.get(line.product), ofOthers);
    takeOff(payable, all.get(""), ofAll);
  }
  return payable;
}

/** Places of lines, and how many of the first have nothing left to pay: those are never looked at again. */
interface OpenPlaces {
  readonly places: readonly number[];
  passed: number;
}

function openPlaces(
  lines: readonly InvoiceLine[],
  keyOf: (line: InvoiceLine) => string,
): Map<string, OpenPlaces> {
  const groups = Map.groupBy([...lines.entries()], ([, line]) => keyOf(line));
  return new Map(
    [...groups].map(([key, group]) => [key, { places: group.map(([place]) => place), passed: 0 }]),
  );
}

/** Lowers the first of the places that have something left. Gives what is still to be taken off. */
function takeOff(payable: bigint[], open: OpenPlaces | undefined, off: bigint): bigint {
  let left = off;
  while (open !== undefined && left > 0n && open.passed < open.places.length) {
    const place = open.places[open.passed] ?? 0;
    const amount = payable[place] ?? 0n;
    const part = amount < left ? amount : left;
    payable[place] = amount - part;
    left -= part;
    if (part === amount) open.passed += 1;
  }
  return left;
}

/** The same for lines of one price in one stretch of terms. */
const chargeKey = ({ product, period, source }: InvoiceLine): string =>
  JSON.stringify([product, period.start, source?.planKey, source?.priceKey]);

interface PlacedLine {
  readonly line: InvoiceLine;
  /** From 0. */
  readonly index: number;
  /** That its price belongs to. */
  readonly feature: string | undefined;
}

/** A line in the parts that were used between the instants at which what may pay it changes. */
function chargesOf(
  { line, index, feature }: PlacedLine,
  amount: LedgerAmount,
  { billed = [], ratedUntil = [] }: UsageCredit,
): UsageCharge[] {
  const { period, product, source } = line;
  const charge = {
    line: index,
    product,
    price: source === null ? null : { planKey: source.planKey, priceKey: source.priceKey },
    ...(feature === undefined ? {} : { feature }),
    billed: billed.find(({ start, end }) => start <= period.start && period.end <= end) ?? period,
  };
  const charges: UsageCharge[] = [];
  let before = 0n;
  let start = period.start;
  for (const { at, rated, before: billedThen = [] } of isOfPrice(line) ? ratedUntil : []) {
    if (at <= start || at >= period.end) continue;
    // Of what was reported since, only what was used until then.
    const reached = ledgerAmountOfExact(amountOf(line, rated).minus(amountOf(line, billedThen)));
    // A cumulative amount can fall again, where a volume price does: what was paid before stays paid.
    const cumulative = within(reached, before, amount);
    charges.push({ ...charge, amount: ledgerAmount(cumulative - before), used: { start, end: at } });
    [before, start] = [cumulative, at];
  }
  charges.push({ ...charge, amount: ledgerAmount(amount - before), used: { start, end: period.end } });
  return charges.filter((part) => part.amount > 0n);
}

/** Whether a line is what a price comes to; what is billed beyond a commitment is of no instant. */
const isOfPrice = ({ kind }: InvoiceLine): boolean => kind === "usage" || kind === "late_usage";

function amountOf({ period, source }: InvoiceLine, rated: readonly RatedUsage[]): Decimal {
  const ofLine = rated.find(
    ({ stretch, plan, price }) =>
      stretch.start === period.start && plan.key === source?.planKey && price.key === source.priceKey,
  );
  return ofLine?.rated.exactMinor ?? zero;
}

function within(amount: bigint, min: bigint, max: bigint): bigint {
  if (amount < min) return min;
  return amount < max ? amount : max;
}

/** By which rules credit pays for the usage of a period: those of the plan that it begins with. */
export function creditPolicyOf(terms: readonly Terms[], { start }: Period): CreditPolicy {
  return termsAt(terms, start).items[0]?.plan.credits ?? usualCreditPolicy;
}

/**
 * The instants inside a period at which what may pay its usage changes, ascending: where a grant ends, and where one takes
 * effect that pays for nothing from before.
 */
export function creditBoundaries(
  grants: readonly CreditGrant[],
  period: Period,
  { earlierUsage }: CreditPolicy = usualCreditPolicy,
): Instant[] {
  const instants = grants
    .filter(({ remaining }) => remaining > 0n)
    .flatMap(({ effectiveAt, expiresAt }) => [
      ...(earlierUsage === "none" ? [effectiveAt] : []),
      ...(expiresAt === null ? [] : [expiresAt]),
    ])
    .filter((at) => period.start < at && at < period.end);
  return [...new Set(instants)].sort((one, other) => one - other);
}
