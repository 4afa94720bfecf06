import { rows, sql, type Tx } from "../database.ts";

/** What verification says of one row of the ledger. */
export interface LedgerFinding {
  /** Of the schema `ledger`, by its name alone: "posting". */
  readonly table: string;
  /** The row's primary key: "1042/1". */
  readonly key: string;
  /** What the row belongs to, in words: the source key of its entry or hold, the key of its account. */
  readonly of?: string | null;
  /** What is wrong, said of the row: "was changed". */
  readonly problem: string;
  /** The column that is wrong, where it is known, with what it is … */
  readonly column?: string | null;
  readonly found?: string | null;
  /** … and what it should be. */
  readonly expected?: string | null;
  /** The seal that says so. */
  readonly seal?: number;
}

const accountName = "select key from ledger.account where id = wanted.id";
const entryName = "select source_key from ledger.journal_entry where id = wanted.id";
const holdName = "select source_key from ledger.hold where id = wanted.id";

/** By table, what says what a row belongs to; `wanted.id` is the first number of its key. */
const names: Readonly<Record<string, string>> = {
  account: accountName,
  journal_entry: entryName,
  posting: entryName,
  hold: holdName,
  hold_line: holdName,
  hold_resolution: holdName,
};

/** The findings with what their rows belong to, as far as it is still there. */
export async function withOwners(
  tx: Pick<Tx, "execute">,
  findings: readonly LedgerFinding[],
): Promise<LedgerFinding[]> {
  const named = new Map<string, string | null>();
  for (const [table, some] of Map.groupBy(findings, (finding) => finding.table)) {
    const name = names[table];
    if (name === undefined) continue;
    const ids = [...new Set(some.map(ownerId))];
    const found = await rows<{ id: string; name: string | null }>(
      tx,
      sql`select id::text, (${sql.raw(name)}) as name from unnest(${`{${ids.join()}}`}::bigint[]) as wanted (id)`,
    );
    for (const each of found) named.set(`${table}/${each.id}`, each.name);
  }
  return findings.map((finding) => {
    const of = named.get(`${finding.table}/${ownerId(finding)}`);
    return of == null ? finding : { ...finding, of };
  });
}

const ownerId = ({ key }: LedgerFinding) => key.split("/")[0] ?? "";
