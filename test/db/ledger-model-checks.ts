import { expect } from "vitest";
import { entryInvariants } from "../../src/db/invariants/entry-invariants.ts";
import { ledgerInvariantQueries } from "../../src/db/invariants/ledger-invariants.ts";
import { parseTimestamp } from "../../src/db/schema/columns.ts";
import { type SealStore, verifySeals } from "../../src/db/seals/ledger-seals.ts";
import { chartAccount } from "../../src/domain/ledger/index.ts";
import type { LedgerFixture } from "./ledger-fixture.ts";
import type { LedgerModel } from "./ledger-model.ts";

type Texts = readonly (readonly (string | null)[])[];

/** Everything that both sides know, as texts: balances, statements, entries and holds. */
type Standing = Record<"balances" | "statements" | "entries" | "holds", Texts>;

/** Balances, statements, entries and holds are the model's, and V1 to V5 hold. */
export async function expectAgreement(
  ledger: LedgerFixture,
  model: LedgerModel,
  store: SealStore,
): Promise<void> {
  const [found, broken, seals] = await Promise.all([
    standingOf(ledger),
    ledger.db.sql.unsafe(brokenInvariants, [true], { prepare: true }),
    verifySeals(ledger.db, store),
  ]);
  const expected = expectedOf(model);
  // Texts are compared first: most of the time they are the same, and telling how they differ takes its time.
  if (JSON.stringify(found) !== JSON.stringify(expected)) expect(found).toEqual(expected);
  expect([...broken]).toEqual([]);
  expect(seals.findings).toEqual([]);
}

const oneEntryPerEvent = entryInvariants.filter(({ name }) => name.startsWith("V4: no two entries"));

/** The names of those that do not hold, in one statement. The driver plans it once, because it has a parameter. */
const brokenInvariants = [...ledgerInvariantQueries, ...oneEntryPerEvent]
  .map(
    ({ name, sql }) =>
      `select '${name.replaceAll("'", "''")}' as broken where $1::boolean and exists (${sql})`,
  )
  .join(" union all ");

async function standingOf({ db: { sql } }: LedgerFixture): Promise<Standing> {
  const [balances, statements, entries, holds] = await Promise.all([
    sql`select key, debit, credit, balance, held, version::text from ledger.balance order by key collate "C"`.values(),
    sql`
      select key, version::text, entry_id::text, line::text, delta, balance_after
      from ledger.account_history as history join ledger.account on account.id = account_id
      order by key collate "C", history.version`.values(),
    sql`select id::text, source_key, effective_at from ledger.journal_entry as entry order by entry.id`.values(),
    sql`
      select source_key, outcome, entry_key from ledger.hold left join ledger.hold_resolution on hold_id = id
      order by source_key collate "C"`.values(),
  ]);
  return {
    balances: [...balances],
    statements: [...statements],
    entries: entries.map(([id, key, effectiveAt]) => [id, key, `${parseTimestamp(effectiveAt)}`]),
    holds: [...holds],
  };
}

function expectedOf(model: LedgerModel): Standing {
  const accounts = [...model.accounts].toSorted(byKey);
  return {
    balances: accounts.map(([key, { ref, debit, credit, lines }]) =>
      [key, debit, credit, model.balance(ref), model.held(ref), lines.length].map(String),
    ),
    statements: accounts
      .filter(([, { ref }]) => chartAccount(ref.code).keepHistory)
      .flatMap(([key, { lines }]) =>
        lines.map(({ entry, line, delta, balanceAfter }, index) =>
          [key, index + 1, entry.id, line, delta, balanceAfter].map(String),
        ),
      ),
    entries: model.entries.map(({ id, draft, effectiveAt }) => [`${id}`, draft.sourceKey, `${effectiveAt}`]),
    holds: [...model.holds]
      .toSorted(byKey)
      .map(([key, { resolution }]) => [key, resolution?.outcome ?? null, resolution?.entryKey ?? null]),
  };
}

const byKey = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]) =>
  one < other ? -1 : 1;
