import { and, type SQL } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { StatementLine } from "../../domain/export/statement-rows.ts";
import type { AccountCode } from "../../domain/ledger/index.ts";
import { type Currency, type LedgerSum, ledgerSum, sumLedger } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { parseTimestamp } from "../schema/columns.ts";
import { type EntryRange, inRange, turnover } from "./ledger-turnover.ts";

/** What a statement is of, and the accounts it takes together: all of them keep numbered lines. */
const codesOf = {
  receivable: ["1100"],
  balance: ["2200"],
  credits: ["2000", "2010"],
} as const satisfies Record<string, readonly AccountCode[]>;

export type StatementSubject = keyof typeof codesOf;

export interface StatementRequest {
  readonly customerId: string;
  readonly currency: Currency;
  readonly subject: StatementSubject;
  /** Of credits, only this grant's. */
  readonly grantId?: string | undefined;
  /** By which of an entry's instants it lies in the period, and in which order the lines come. */
  readonly clock: "effective" | "recorded";
  /** From the beginning when left out. */
  readonly from?: Instant | undefined;
  /** Exclusive; everything there is when left out. */
  readonly to?: Instant | undefined;
}

export interface Statement {
  readonly opening: LedgerSum;
  readonly closing: LedgerSum;
  /** To be read once. The opening balance and the changes of all lines come to the closing balance. */
  readonly pages: AsyncIterable<readonly StatementLine[]>;
}

/** @param tx one snapshot, held until the last page is read */
export async function readStatement(tx: Tx, request: StatementRequest): Promise<Statement> {
  const { from, to } = request;
  const opening = from === undefined ? ledgerSum(0n) : await balanceOf(tx, request, { to: from });
  const closing = await balanceOf(tx, request, { to });
  return { opening, closing, pages: linePages(tx, request, opening, closing) };
}

function accountsOf({ customerId, currency, subject, grantId }: StatementRequest): SQL {
  const codes = sql.join(
    codesOf[subject].map((code) => sql`${code}`),
    sql`, `,
  );
  const ofGrant = grantId === undefined ? sql`` : sql`and dimensions ->> 'grant' = ${grantId}`;
  return sql`select id from ledger.account
    where customer_id = ${customerId} and currency = ${currency} and code in (${codes}) ${ofGrant}`;
}

function rangeOf(
  { clock }: StatementRequest,
  { from, to }: Pick<StatementRequest, "from" | "to">,
): EntryRange {
  return clock === "effective"
    ? { effectiveFrom: from, effectiveBefore: to }
    : { recordedFrom: from, recordedBefore: to };
}

async function balanceOf(tx: Tx, request: StatementRequest, limits: Pick<StatementRequest, "from" | "to">) {
  const moved = turnover(rangeOf(request, limits), accountsOf(request));
  const [found] = await rows<{ balance: string }>(
    tx,
    sql`select coalesce(sum(account.normal * (moved.debit - moved.credit)), 0) as balance
        from (${moved}) as moved join ledger.account as account on account.id = moved.account_id`,
  );
  return ledgerSum(BigInt(found?.balance ?? "0"));
}

type LineRow = Record<
  "occurred_at" | "effective_at" | "recorded_at" | "source_key" | "cause_type" | "cause_id" | "delta",
  string
> &
  Pick<StatementLine, "line" | "account" | "version" | "kind"> & {
    entry_id: bigint;
    invoice_id: string | null;
  };

const linesPerPage = 1_000;

/** A cursor of the database: the lines are sorted once, and only a page of them is here. */
async function* linePages(
  tx: Tx,
  request: StatementRequest,
  opening: LedgerSum,
  closing: LedgerSum,
): AsyncGenerator<readonly StatementLine[]> {
  const order = sql.raw(request.clock === "effective" ? "effective_at" : "recorded_at");
  await tx.execute(sql`
    declare statement_lines no scroll cursor for
    select history.entry_id, history.line, account.key as account, history.version, entry.occurred_at, entry.effective_at,
      entry.recorded_at, entry.kind, entry.source_key, entry.cause_type, entry.cause_id,
      entry.metadata ->> 'invoice_id' as invoice_id, history.delta
    from ledger.account as account
    join ledger.account_history as history on history.account_id = account.id
    join ledger.journal_entry as entry on entry.id = history.entry_id
    where ${and(sql`account.id in (${accountsOf(request)})`, inRange(rangeOf(request, request)))}
    order by entry.${order}, history.entry_id, history.line, history.account_id`);
  let balance = opening;
  for (;;) {
    const found = await rows<LineRow>(tx, sql`fetch ${sql.raw(String(linesPerPage))} from statement_lines`);
    if (found.length === 0) break;
    const page: StatementLine[] = [];
    for (const row of found) {
      const change = ledgerSum(BigInt(row.delta));
      balance = sumLedger([balance, change]);
      page.push(statementLine(row, change, balance));
    }
    yield page;
  }
  await tx.execute(sql`close statement_lines`);
  invariant(balance === closing, "a statement's lines lead from its opening to its closing balance");
}

function statementLine(row: LineRow, change: LedgerSum, balance: LedgerSum): StatementLine {
  return {
    entryId: row.entry_id,
    line: row.line,
    account: row.account,
    version: row.version,
    occurredAt: parseTimestamp(row.occurred_at),
    effectiveAt: parseTimestamp(row.effective_at),
    recordedAt: parseTimestamp(row.recorded_at),
    kind: row.kind,
    sourceKey: row.source_key,
    cause: { type: row.cause_type, id: row.cause_id },
    invoiceId: row.invoice_id,
    change,
    balance,
  };
}
