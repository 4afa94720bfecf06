/**
 * Everything that the standard demo must come to, as literal figures. `test/sandbox/demo-expectations.test.ts` shows
 * that the tokens are the trace's, and that the sums follow from the price list by plain arithmetic.
 */

export interface Tokens {
  readonly swiftIn: bigint;
  readonly swiftOut: bigint;
  readonly deepIn: bigint;
  readonly deepOut: bigint;
}

/** In the order in which a plan lists its prices. */
export const tokenKinds = ["swiftIn", "swiftOut", "deepIn", "deepOut"] as const;

export const traceTotals = { events: 8_819, inputTokens: 18_059_974n, outputTokens: 245_896n };

/** Tokens of one customer in a stretch of April 2026 in which its plan did not change. */
export interface StretchTokens {
  readonly customer: string;
  readonly plan: PlanOnPaper;
  readonly tokens: Tokens;
}

export type PlanOnPaper = "hobby" | "pro" | "team" | "enterprise";

function stretch(
  customer: string,
  plan: PlanOnPaper,
  swiftIn: bigint,
  swiftOut: bigint,
  deepIn: bigint,
  deepOut: bigint,
): StretchTokens {
  return { customer, plan, tokens: { swiftIn, swiftOut, deepIn, deepOut } };
}

/** What was reported before the month was closed; on the invoices of 1 May. */
export const tokensInTime: readonly StretchTokens[] = [
  stretch("ada-moreau", "hobby", 125_315n, 5_193n, 435_692n, 2_504n),
  stretch("ben-okafor", "hobby", 96_458n, 4_313n, 241_169n, 1_339n),
  stretch("cleo-lindqvist", "hobby", 109_496n, 2_875n, 234_174n, 1_517n),
  stretch("dara-studio", "pro", 246_977n, 8_880n, 594_866n, 3_552n),
  stretch("elm-street-apps", "pro", 93_910n, 2_413n, 315_050n, 3_511n),
  stretch("elm-street-apps", "team", 177_878n, 5_742n, 442_742n, 3_052n),
  stretch("fable-games", "pro", 332_948n, 11_467n, 927_074n, 5_127n),
  stretch("grove-analytics", "pro", 179_597n, 5_964n, 582_669n, 6_331n),
  stretch("harbor-systems", "team", 450_446n, 14_927n, 1_322_709n, 10_129n),
  stretch("iris-health", "team", 411_056n, 14_780n, 1_195_145n, 7_796n),
  stretch("juniper-bank", "team", 568_396n, 18_361n, 1_519_753n, 9_749n),
  stretch("kestrel-aero", "enterprise", 985_506n, 31_231n, 3_071_573n, 22_287n),
  stretch("lumen-retail", "enterprise", 854_562n, 26_485n, 2_458_739n, 15_014n),
];

/** What was reported after the close; on the invoices of 1 June, as late usage of April. */
export const tokensReportedLate: readonly StretchTokens[] = [
  stretch("ada-moreau", "hobby", 499n, 29n, 0n, 0n),
  stretch("ben-okafor", "hobby", 284n, 14n, 0n, 0n),
  stretch("dara-studio", "pro", 0n, 0n, 14_872n, 52n),
  stretch("elm-street-apps", "pro", 88n, 20n, 0n, 0n),
  stretch("elm-street-apps", "team", 908n, 14n, 0n, 0n),
  stretch("fable-games", "pro", 2_747n, 59n, 2_985n, 12n),
  stretch("grove-analytics", "pro", 1_140n, 60n, 0n, 0n),
  stretch("harbor-systems", "team", 1_519n, 40n, 7_436n, 9n),
  stretch("iris-health", "team", 1_935n, 76n, 3_898n, 149n),
  stretch("juniper-bank", "team", 238n, 6n, 17_401n, 196n),
  stretch("kestrel-aero", "enterprise", 3_908n, 453n, 18_383n, 75n),
  stretch("lumen-retail", "enterprise", 2_976n, 71n, 4_857n, 22n),
];

export interface ExpectedInvoice {
  readonly customer: string;
  /** Cycle 1 closes April, cycle 2 closes May, in which nothing was used. */
  readonly invoice: "activation" | "credit_purchase" | "proration" | "cycle 1" | "cycle 2";
  /** Its lines in order, in cents: usage (in order of the prices), late usage, base fee, seats above the included. */
  readonly sum: string;
  /** What prepaid credits paid of it. */
  readonly creditsMinor: bigint;
  readonly totalMinor: bigint;
}

function invoice(
  customer: string,
  kind: ExpectedInvoice["invoice"],
  sum: string,
  totalMinor: bigint,
  creditsMinor = 0n,
): ExpectedInvoice {
  return { customer, invoice: kind, sum, totalMinor, creditsMinor };
}

/** Every invoice of the standard demo. */
export const expectedInvoices: readonly ExpectedInvoice[] = [
  // Hobby: 5.00 a month; 0.90 for each 100,000 input tokens begun above 200,000, 0.004 cents an output token above 2,000.
  invoice("ada-moreau", "activation", "500", 500n),
  invoice("ada-moreau", "cycle 1", "360 + 23 + 500", 883n),
  invoice("ada-moreau", "cycle 2", "0 + 0 + 500", 500n),
  invoice("ben-okafor", "activation", "500", 500n),
  invoice("ben-okafor", "cycle 1", "180 + 15 + 500", 695n),
  invoice("ben-okafor", "cycle 2", "0 + 0 + 500", 500n),
  // Canceled at the end of April: the last invoice is usage only.
  invoice("cleo-lindqvist", "activation", "500", 500n),
  invoice("cleo-lindqvist", "cycle 1", "180 + 10", 190n),
  invoice("dara-studio", "activation", "2000", 2_000n),
  invoice("dara-studio", "cycle 1", "44 + 10 + 504 + 18 + 2000", 2_576n),
  invoice("dara-studio", "cycle 2", "18 + 1 + 2000", 2_019n),
  // Pro to team with 4 seats, 3 of them included, after 10 of 30 days: two thirds of 20.00 back, of 60.00 and 18.00 due.
  invoice("elm-street-apps", "activation", "2000", 2_000n),
  invoice("elm-street-apps", "proration", "−1333 + 4000 + 1200", 3_867n),
  invoice("elm-street-apps", "cycle 1", "18 + 3 + 348 + 22 + 0 + 3 + 153 + 12 + 6000 + 1800", 8_359n),
  invoice("elm-street-apps", "cycle 2", "0 + 0 + 0 + 0 + 6000 + 1800", 7_800n),
  // 8.00 of prepaid credits pay that much of the 10.11 of usage.
  invoice("fable-games", "activation", "2000", 2_000n),
  invoice("fable-games", "credit_purchase", "800", 800n),
  invoice("fable-games", "cycle 1", "68 + 13 + 902 + 28 + 2000", 2_211n, 800n),
  invoice("fable-games", "cycle 2", "1 + 0 + 4 + 0 + 2000", 2_005n),
  // Its card is declined for cycle 1; paid with another one after dunning.
  invoice("grove-analytics", "activation", "2000", 2_000n),
  invoice("grove-analytics", "cycle 1", "24 + 6 + 489 + 35 + 2000", 2_554n),
  invoice("grove-analytics", "cycle 2", "0 + 0 + 2000", 2_000n),
  // Team: 60.00 and 18.00 for each seat above 3.
  invoice("harbor-systems", "activation", "6000 + 3600", 9_600n),
  invoice("harbor-systems", "cycle 1", "42 + 13 + 1055 + 52 + 6000 + 3600", 10_762n),
  invoice("harbor-systems", "cycle 2", "0 + 0 + 8 + 0 + 6000 + 3600", 9_608n),
  invoice("iris-health", "activation", "6000", 6_000n),
  invoice("iris-health", "cycle 1", "31 + 13 + 915 + 39 + 6000", 6_998n),
  invoice("iris-health", "cycle 2", "1 + 0 + 4 + 1 + 6000", 6_006n),
  invoice("juniper-bank", "activation", "6000 + 9000", 15_000n),
  invoice("juniper-bank", "cycle 1", "68 + 17 + 1260 + 50 + 6000 + 9000", 16_395n),
  invoice("juniper-bank", "cycle 2", "0 + 0 + 17 + 1 + 6000 + 9000", 15_018n),
  // Enterprise: 400.00 and 25.00 for each seat above 10.
  invoice("kestrel-aero", "activation", "40000 + 37500", 77_500n),
  invoice("kestrel-aero", "cycle 1", "97 + 24 + 1864 + 96 + 40000 + 37500", 79_581n),
  invoice("kestrel-aero", "cycle 2", "1 + 1 + 17 + 1 + 40000 + 37500", 77_520n),
  invoice("lumen-retail", "activation", "40000 + 5000", 45_000n),
  invoice("lumen-retail", "cycle 1", "89 + 19 + 1459 + 60 + 40000 + 5000", 46_627n),
  invoice("lumen-retail", "cycle 2", "0 + 1 + 5 + 0 + 40000 + 5000", 45_006n),
];

/** Events as they are sent: the trace's once each, some of them again, some contradicted; and those that come late. */
export const expectedDeliveries = { first: 8_819, again: 464, contradiction: 8, inGrace: 32, afterClose: 43 };
