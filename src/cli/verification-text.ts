import type { LedgerFinding } from "../db/seals/ledger-finding.ts";
import { type SealLocation, sealLocationText } from "../db/seals/ledger-seals.ts";
import { allFindings, type LedgerVerification } from "../db/seals/ledger-verification.ts";

/** Of one table; a ledger that was damaged on the whole has a finding for every row. */
const findingsShownMax = 50;

/** For people: a line for each finding, then what was compared with what. */
export function verificationAsText(verification: LedgerVerification, copy: SealLocation | undefined): string {
  const { seals, sealedRows, unsealed } = verification.sealed;
  const findings = allFindings(verification);
  const compared =
    copy === undefined ? "no copy was given to compare with" : `compared with ${sealLocationText(copy)}`;
  const newer = Object.entries(unsealed).map(([table, rows]) => `${table} ${rows}`);
  return [
    ...[...Map.groupBy(findings, ({ table }) => table)].flatMap(linesOfTable),
    ...(findings.length === 0 ? [] : [""]),
    `${seals} seals of ${sealedRows} rows; ${compared}.`,
    ...(newer.length === 0
      ? []
      : [`Newer than the last seal, nothing vouches for them yet: ${newer.join(", ")}.`]),
    findings.length === 0
      ? "The ledger is what was sealed, and all else follows from it."
      : `The ledger is not what it should be. Findings: ${findings.length}.`,
  ].join("\n");
}

function linesOfTable([table, findings]: [string, LedgerFinding[]]): string[] {
  const more = findings.length - findingsShownMax;
  return [
    ...findings.slice(0, findingsShownMax).map(findingAsText),
    ...(more > 0 ? [`… and ${more} more of ${table}; --json has them all`] : []),
  ];
}

/** `posting 1042/1 of invoice/in_3/issued: was changed (seal 12)` */
export function findingAsText({
  table,
  key,
  of,
  problem,
  column,
  found,
  expected,
  seal,
}: LedgerFinding): string {
  const what =
    column == null ? problem : `${column} is ${found ?? "null"} and should be ${expected ?? "null"}`;
  const says = seal === undefined || table === "seal" ? "" : ` (seal ${seal})`;
  return `${table} ${key}${of == null ? "" : ` of ${of}`}: ${what}${says}`;
}

/** For programs. */
export function verificationAsJson(verification: LedgerVerification, copy: SealLocation | undefined): string {
  const { seals, sealedRows, unsealed } = verification.sealed;
  const findings = allFindings(verification);
  const comparedWith = copy === undefined ? null : sealLocationText(copy);
  return JSON.stringify(
    { holds: findings.length === 0, findings, seals, sealedRows, unsealed, comparedWith },
    null,
    2,
  );
}
