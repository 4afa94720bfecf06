import type { Stripe } from "stripe";
import { type Database, inSnapshot, rows, sql, type Tx } from "../database.ts";
import type { SealStore } from "../seals/seal-store.ts";
import { verifySealsIn } from "../seals/seal-verification.ts";
import { adjustmentInvariants } from "./adjustment-invariants.ts";
import { archiveInvariants } from "./archive-invariants.ts";
import { clearingInvariants } from "./clearing-invariants.ts";
import { correctionInvariants } from "./correction-invariants.ts";
import { creditInvariants } from "./credit-invariants.ts";
import { entryInvariants } from "./entry-invariants.ts";
import { type InvariantLimits, type InvariantQuery, usualLimits } from "./invariant-query.ts";
import { invoiceInvariants } from "./invoice-invariants.ts";
import { ledgerInvariantQueries } from "./ledger-invariants.ts";
import { lifecycleInvariants } from "./lifecycle-invariants.ts";
import { pendingInvariants } from "./pending-invariants.ts";
import { privilegeInvariants } from "./privilege-invariants.ts";
import { promotionInvariants } from "./promotion-invariants.ts";
import { ratingEntryInvariants } from "./rating-entry-invariants.ts";
import { pendingEvents, ratingInvariants } from "./rating-invariants.ts";
import { reservationInvariants } from "./reservation-invariants.ts";
import { compareWithStripe, stripeInvariants } from "./stripe-invariants.ts";
import { taxInvariants } from "./tax-invariants.ts";
import { usageInvariants } from "./usage-invariants.ts";

export { type InvariantLimits, usualLimits } from "./invariant-query.ts";
export { compareWithStripe, type StripeComparison } from "./stripe-invariants.ts";

/** What must always be true, in a sentence each; docs/invariants.md says more. */
export const invariantStatements = {
  V1: "In each currency debits equal credits, and no posting crosses currencies.",
  V2: "Every balance is the sum of its postings.",
  V3: "No account is below its floor.",
  V4: "Every business fact has exactly its entries in the ledger, and every entry its fact.",
  V5: "The ledger is what was sealed.",
  V6: "Clearing accounts return to zero in time.",
  V7: "The Stripe balance in the ledger is Stripe's balance transactions.",
  V8: "An invoice's total is the sum of its lines and of its postings, and every usage event of a closed period is on exactly one.",
  V9: "What was accepted is what was counted is what was rated.",
  V10: "Nobody can change what they may not.",
  V11: "What has ended stays ended.",
  V12: "Nothing is pending past its limit.",
} as const;

export type InvariantNumber = keyof typeof invariantStatements;

/** A row that breaks a rule, or waits. */
export interface InvariantRow {
  readonly rule: string;
  readonly row: Readonly<Record<string, unknown>>;
}

export interface InvariantReport {
  readonly number: InvariantNumber;
  readonly statement: string;
  readonly holds: boolean;
  /** The rows that break it: of each rule the first ones. */
  readonly offending: readonly InvariantRow[];
  /** Worth seeing, and no breach: what is still within its time. */
  readonly pending: readonly InvariantRow[];
  readonly milliseconds: number;
}

export interface InvariantOptions {
  readonly limits?: Partial<InvariantLimits>;
  /** The external copy of the seals; without it V5 asks the database alone. */
  readonly seals?: SealStore | undefined;
  /** Stripe itself; without it V7 asks the database alone. */
  readonly stripe?: Pick<Stripe, "balanceTransactions"> | undefined;
  /** How many rows of a broken rule are reported; 20 when left out. */
  readonly rowsMax?: number;
}

type Findings = Pick<InvariantReport, "offending" | "pending">;

/**
 * Checks V1 to V12 on the data as they are: all of them in one snapshot, with nothing locked, so it may run beside
 * live traffic. Answers one report for each, in their order.
 */
export async function checkInvariants(
  db: Database,
  options: InvariantOptions = {},
): Promise<InvariantReport[]> {
  const published = (await options.seals?.last())?.number;
  const reports = await inSnapshot(db, (tx) => checkInvariantsIn(tx, options, published));
  if (options.stripe === undefined) return reports;
  const atStripe = await timed("V7", () => stripeFindings(db, options));
  return reports.map((report) => (report.number === "V7" ? together(report, atStripe) : report));
}

/**
 * The same within a transaction of the caller's, without asking Stripe.
 * @param published the last number in the store of seals before the transaction's snapshot was taken
 */
export async function checkInvariantsIn(
  tx: Tx,
  options: InvariantOptions = {},
  published = 0,
): Promise<InvariantReport[]> {
  const queries = allQueries({ ...usualLimits, ...options.limits });
  const reports: InvariantReport[] = [];
  for (const number of Object.keys(invariantStatements) as InvariantNumber[]) {
    const find = async () => ({
      offending:
        number === "V5"
          ? await sealFaults(tx, options, published)
          : await offendingRows(tx, ofNumber(queries, number), options),
      pending: await offendingRows(tx, ofNumber([pendingEvents], number), options),
    });
    reports.push(await timed(number, find));
  }
  return reports;
}

function allQueries(limits: InvariantLimits): InvariantQuery[] {
  return [
    ...ledgerInvariantQueries,
    ...entryInvariants,
    ...adjustmentInvariants,
    ...creditInvariants(limits),
    ...ratingEntryInvariants,
    ...clearingInvariants(limits),
    ...stripeInvariants,
    ...invoiceInvariants,
    ...taxInvariants,
    ...ratingInvariants,
    ...usageInvariants,
    ...promotionInvariants(limits),
    ...reservationInvariants(limits),
    ...correctionInvariants,
    ...archiveInvariants,
    ...privilegeInvariants,
    ...lifecycleInvariants,
    ...pendingInvariants(limits),
  ];
}

function ofNumber(queries: readonly InvariantQuery[], number: InvariantNumber): InvariantQuery[] {
  return queries.filter(({ name }) => name.startsWith(`${number}: `));
}

async function timed(number: InvariantNumber, find: () => Promise<Findings>): Promise<InvariantReport> {
  const startedAt = performance.now();
  const { offending, pending } = await find();
  return {
    number,
    statement: invariantStatements[number],
    holds: offending.length === 0,
    offending,
    pending,
    milliseconds: performance.now() - startedAt,
  };
}

async function offendingRows(
  tx: Pick<Tx, "execute">,
  queries: readonly InvariantQuery[],
  { rowsMax = 20 }: InvariantOptions,
): Promise<InvariantRow[]> {
  const found: InvariantRow[] = [];
  for (const query of queries) {
    const breaking = await rows<InvariantRow["row"]>(
      tx,
      sql.raw(`select * from (${query.sql}) as breaking limit ${rowsMax}`),
    );
    found.push(...breaking.map((row) => ({ rule: query.name, row })));
  }
  return found;
}

/** The facts alone: what follows from them is recomputed by V2 to V4, and by `npm run ledger:verify`. */
async function sealFaults(
  tx: Tx,
  { seals: store, rowsMax = 20 }: InvariantOptions,
  published: number,
): Promise<InvariantRow[]> {
  const { findings } = await verifySealsIn(tx, { store, published });
  const rule = "V5: every seal is the seal of what is there";
  return findings.slice(0, rowsMax).map((finding) => ({ rule, row: { ...finding } }));
}

async function stripeFindings(db: Database, { stripe, limits }: InvariantOptions): Promise<Findings> {
  if (stripe === undefined) return { offending: [], pending: [] };
  const rule = "V7: every balance transaction at Stripe is in the ledger, and the other way round";
  const { clearing } = { ...usualLimits, ...limits };
  const compared = await compareWithStripe(db.orm, stripe, Date.now() / 1_000 - clearing);
  const rowsOf = (some: typeof compared.pending) => some.map((each) => ({ rule, row: { ...each } }));
  return { offending: rowsOf(compared.differences), pending: rowsOf(compared.pending) };
}

function together(one: InvariantReport, other: InvariantReport): InvariantReport {
  return {
    ...one,
    holds: one.holds && other.holds,
    offending: [...one.offending, ...other.offending],
    pending: [...one.pending, ...other.pending],
    milliseconds: one.milliseconds + other.milliseconds,
  };
}
