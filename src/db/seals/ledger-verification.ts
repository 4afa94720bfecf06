import { type Database, inSnapshot, rows, sql, type Tx } from "../database.ts";
import { type LedgerFinding, withOwners } from "./ledger-finding.ts";
import { recomputedBalances } from "./recomputed-balances.ts";
import { recomputedEntries } from "./recomputed-entries.ts";
import { type SealVerification, type SealVerificationOptions, verifySealsIn } from "./seal-verification.ts";

export interface LedgerVerification {
  /** The facts, against what was sealed. */
  readonly sealed: SealVerification;
  /** What does not follow from the facts as they are: of each rule the first ones. */
  readonly derived: readonly LedgerFinding[];
}

export interface LedgerVerificationOptions extends SealVerificationOptions {
  /** Told what is recomputed now. */
  readonly onStep?: ((step: string) => void) | undefined;
}

const checks = [...recomputedEntries, ...recomputedBalances];

/** Enough to see what happened; a ledger that was damaged on the whole would have a finding for every row. */
const findingsPerCheckMax = 1_000;

/**
 * Recomputes the whole ledger as of one moment, with nothing locked: every seal from the facts, everything derived from
 * the facts, and names each row that is not what it should be.
 */
export async function verifyLedger(
  db: Database,
  options: Omit<LedgerVerificationOptions, "published"> = {},
): Promise<LedgerVerification> {
  const published = (await options.store?.last())?.number;
  return await inSnapshot(db, (tx) => verifyLedgerIn(tx, { ...options, published }));
}

/** The same within a snapshot of the caller's. */
export async function verifyLedgerIn(
  tx: Tx,
  { onStep, ...options }: LedgerVerificationOptions = {},
): Promise<LedgerVerification> {
  const onSeal = (number: number) => onStep?.(`seal ${number}`);
  const sealed = await verifySealsIn(tx, { onSeal, ...options });
  const derived: LedgerFinding[] = [];
  for (const { table, sql: query } of checks) {
    onStep?.(table);
    derived.push(
      ...(await rows<LedgerFinding>(
        tx,
        sql.raw(`select * from (${query}) as findings limit ${findingsPerCheckMax}`),
      )),
    );
  }
  return { sealed, derived: await withOwners(tx, derived) };
}

/** Facts first: what follows from a changed one is wrong because of it. */
export const allFindings = ({ sealed, derived }: LedgerVerification): LedgerFinding[] => [
  ...sealed.findings,
  ...derived,
];
