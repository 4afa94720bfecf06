import { type PlanOnPaper, type Tokens, tokenKinds } from "./demo-expectations.ts";

/**
 * The sums behind the demo's invoices in plain integers, written from the price list alone: nothing here comes from the
 * project's own rating. Exact amounts are in 10⁻⁸ cents.
 */
export interface ExpectedLine {
  readonly amountMinor: bigint;
  readonly exact: bigint;
  /** How the exact amount came about, in cents: `300000 × 0.0015 + 373520 × 0.0012`. */
  readonly working: string;
}

type Step = readonly [quantity: bigint, price: string];
type Pricing = (billable: bigint) => Step[];

interface Prices {
  readonly included: Tokens;
  readonly pricing: Readonly<Record<keyof Tokens, Pricing>>;
}

/** The price list, once more and by hand: included tokens, then what the others cost. */
const priceList: Readonly<Record<"pro" | "team" | "enterprise", Prices>> = {
  pro: {
    included: { swiftIn: 100_000n, swiftOut: 2_000n, deepIn: 250_000n, deepOut: 1_000n },
    pricing: {
      swiftIn: graduated([200_000n, "0.0003"], "0.00024"),
      swiftOut: graduated([5_000n, "0.0015"], "0.0012"),
      deepIn: graduated([300_000n, "0.0015"], "0.0012"),
      deepOut: graduated([2_000n, "0.0075"], "0.006"),
    },
  },
  team: {
    included: { swiftIn: 300_000n, swiftOut: 5_000n, deepIn: 500_000n, deepOut: 2_000n },
    pricing: {
      swiftIn: graduated([150_000n, "0.00028"], "0.00022"),
      swiftOut: graduated([8_000n, "0.0014"], "0.0011"),
      deepIn: graduated([500_000n, "0.0014"], [900_000n, "0.0011"], "0.001"),
      deepOut: graduated([5_000n, "0.007"], "0.0055"),
    },
  },
  enterprise: {
    included: { swiftIn: 500_000n, swiftOut: 10_000n, deepIn: 1_000_000n, deepOut: 5_000n },
    pricing: {
      swiftIn: volume([400_000n, "0.00025"], "0.0002"),
      swiftOut: graduated([15_000n, "0.0012"], "0.001"),
      deepIn: volume([1_500_000n, "0.001"], "0.0009"),
      deepOut: graduated([10_000n, "0.006"], "0.005"),
    },
  },
};

/** Hobby does not tell models apart: all input by the 100,000 for 0.90 USD, all output by the token. */
function hobbyLines(tokens: Tokens): ExpectedLine[] {
  const input = above(tokens.swiftIn + tokens.deepIn, 200_000n);
  const output = above(tokens.swiftOut + tokens.deepOut, 2_000n);
  return [lineOf([[(input + 99_999n) / 100_000n, "90"]]), lineOf([[output, "0.004"]])];
}

/**
 * The usage lines of a stretch, in the order of the price list.
 * @param share of the month that the stretch is, as a fraction: included tokens shrink with it, to whole tokens
 */
export function usageLines(
  plan: PlanOnPaper,
  tokens: Tokens,
  share: readonly [bigint, bigint] = [1n, 1n],
): ExpectedLine[] {
  if (plan === "hobby") return hobbyLines(tokens);
  const { included, pricing } = priceList[plan];
  return tokenKinds.map((kind) => {
    const free = roundHalfEven(included[kind] * share[0], share[1]);
    return lineOf(pricing[kind](above(tokens[kind], free)));
  });
}

/** What late tokens add: the lines of everything, less the lines that were billed. Only for prices that saw any. */
export function lateLines(
  plan: PlanOnPaper,
  billed: Tokens,
  late: Tokens,
  share: readonly [bigint, bigint] = [1n, 1n],
): ExpectedLine[] {
  const before = usageLines(plan, billed, share);
  const all = usageLines(plan, add(billed, late), share);
  const isTouched =
    plan === "hobby"
      ? [late.swiftIn + late.deepIn > 0n, late.swiftOut + late.deepOut > 0n]
      : tokenKinds.map((kind) => late[kind] > 0n);
  return all.flatMap((line, index) => {
    const earlier = before[index];
    if (earlier === undefined || !isTouched[index]) return [];
    const amountMinor = line.amountMinor - earlier.amountMinor;
    return [
      { amountMinor, exact: line.exact - earlier.exact, working: `${line.working} − (${earlier.working})` },
    ];
  });
}

/** The part of a monthly price for the days that are left, what is used being rounded: both parts sum to the whole. */
export function unusedPart(amountMinor: bigint, daysUsed: bigint, days: bigint): bigint {
  return amountMinor - roundHalfEven(amountMinor * daysUsed, days);
}

export function add(left: Tokens, right: Tokens): Tokens {
  return {
    swiftIn: left.swiftIn + right.swiftIn,
    swiftOut: left.swiftOut + right.swiftOut,
    deepIn: left.deepIn + right.deepIn,
    deepOut: left.deepOut + right.deepOut,
  };
}

export const noTokens: Tokens = { swiftIn: 0n, swiftOut: 0n, deepIn: 0n, deepOut: 0n };

/** To the nearest; exactly between two, to the even one. Not for negative numbers. */
export function roundHalfEven(numerator: bigint, denominator: bigint): bigint {
  const whole = numerator / denominator;
  const twiceTheRest = (numerator % denominator) * 2n;
  if (twiceTheRest === denominator) return whole + (whole % 2n);
  return twiceTheRest > denominator ? whole + 1n : whole;
}

type TierOnPaper = readonly [upTo: bigint, price: string];

/** Each token at the price of its own tier; the last price has no end. */
function graduated(...tiers: [...TierOnPaper[], string]): Pricing {
  const rest = tiers.at(-1) as string;
  return (billable) => {
    const steps: Step[] = [];
    let from = 0n;
    for (const [upTo, price] of tiers.slice(0, -1) as TierOnPaper[]) {
      if (billable > from) steps.push([(billable < upTo ? billable : upTo) - from, price]);
      from = upTo;
    }
    return billable > from ? [...steps, [billable - from, rest]] : steps;
  };
}

/** All tokens at the price of the tier that their number reaches. */
function volume([upTo, price]: TierOnPaper, rest: string): Pricing {
  return (billable) => (billable > 0n ? [[billable, billable <= upTo ? price : rest]] : []);
}

function lineOf(steps: readonly Step[]): ExpectedLine {
  const exact = steps.reduce((sum, [quantity, price]) => sum + quantity * inHundredMillionths(price), 0n);
  const working = steps.map(([quantity, price]) => `${quantity} × ${price}`).join(" + ") || "0";
  return { amountMinor: roundHalfEven(exact, 10n ** 8n), exact, working };
}

function above(quantity: bigint, free: bigint): bigint {
  return quantity > free ? quantity - free : 0n;
}

function inHundredMillionths(price: string): bigint {
  const [whole = "0", fraction = ""] = price.split(".");
  return BigInt(whole + fraction.padEnd(8, "0"));
}
