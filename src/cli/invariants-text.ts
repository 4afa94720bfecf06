import type { InvariantReport, InvariantRow } from "../db/invariants/invariants.ts";

/** The reports for people: a line for each invariant, and under a broken one its rules with the rows that break them. */
export function invariantsAsText(reports: readonly InvariantReport[]): string {
  const broken = reports.filter(({ holds }) => !holds).map(({ number }) => number);
  const verdict = broken.length === 0 ? "All invariants hold." : `Broken: ${broken.join(", ")}.`;
  return [...reports.flatMap(reportLines), "", verdict].join("\n");
}

function reportLines({
  number,
  statement,
  holds,
  milliseconds,
  offending,
  pending,
}: InvariantReport): string[] {
  const took = `${milliseconds.toFixed(0)} ms`.padStart(8);
  return [
    `${number.padEnd(3)}  ${holds ? "holds " : "BROKEN"}  ${took}  ${statement}`,
    ...ruleLines(offending),
    ...[...countByRule(pending)].map(([rule, rows]) => `         ${rows} pending: ${rule}`),
  ];
}

function ruleLines(rows: readonly InvariantRow[]): string[] {
  return [...Map.groupBy(rows, ({ rule }) => rule)].flatMap(([rule, breaking]) => [
    `       ✗ ${rule}`,
    ...breaking.map(({ row }) => `           ${fieldsOf(row)}`),
  ]);
}

function countByRule(rows: readonly InvariantRow[]): Map<string, number> {
  const byRule = Map.groupBy(rows, ({ rule }) => rule);
  return new Map([...byRule].map(([rule, some]) => [rule, some.length]));
}

/** `id=inv_1 total_minor=1250`, in the query's order. */
function fieldsOf(row: InvariantRow["row"]): string {
  return Object.entries(row)
    .map(([name, value]) => `${name}=${typeof value === "object" ? text(value) : String(value)}`)
    .join(" ");
}

/** The reports for programs; numbers that may be large are text. */
export function invariantsAsJson(reports: readonly InvariantReport[]): string {
  return text(reports, 2);
}

function text(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_name, inner) => (typeof inner === "bigint" ? inner.toString() : inner),
    indent,
  );
}
