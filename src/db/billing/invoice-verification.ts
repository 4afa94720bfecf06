import { and, asc, eq, gt } from "drizzle-orm";
import { isoOf } from "../../domain/calendar/index.ts";
import { toJson } from "../../domain/invoicing/index.ts";
import { canonicalJson, type JsonValue } from "../../domain/metering/index.ts";
import { type Database, inSnapshot, rows, sql, type Tx } from "../database.ts";
import { invoice } from "../schema/billing.ts";
import { creditDraw } from "../schema/credit-grants.ts";
import { UsageMonthArchivedError } from "../usage/archived-months.ts";
import { type DerivedInvoice, deriveInvoice, NotDerivableError } from "./invoice-derivation.ts";
import { drawRows, invoiceRow, lineRows, linesOfInvoice, type StoredInvoice } from "./invoices.ts";

/** Something of an issued invoice is not what follows from its facts. */
export interface InvoiceFinding {
  readonly invoice: string;
  readonly number: string;
  /** What differs, such as `line 2 amount_minor`. */
  readonly what: string;
  readonly found: string;
  readonly expected: string;
}

/** What cannot be derived again, and why: nothing is known of it. */
export interface UnknownInvoice {
  readonly invoice: string;
  readonly number: string;
  readonly reason: string;
}

export interface InvoicesVerification {
  readonly derived: number;
  readonly lines: number;
  readonly findings: readonly InvoiceFinding[];
  readonly unknown: readonly UnknownInvoice[];
}

const pageSize = 100;

/**
 * Derives every issued invoice again, the void ones too, and compares it with what is stored: lines, totals, draws on credit
 * grants and fingerprints of usage, as canonical JSON, byte for byte.
 * @param onStep told after each invoice how many of how many are done
 */
export async function verifyInvoices(
  db: Database,
  { onStep = () => {} }: { readonly onStep?: (done: number, all: number) => void } = {},
): Promise<InvoicesVerification> {
  const findings: InvoiceFinding[] = [];
  const unknown: UnknownInvoice[] = [];
  const all = await countInvoices(db.orm);
  let lines = 0;
  let done = 0;
  let after = "";
  for (;;) {
    const page = await db.orm
      .select()
      .from(invoice)
      .where(and(gt(invoice.id, after)))
      .orderBy(asc(invoice.id))
      .limit(pageSize);
    if (page.length === 0) break;
    for (const row of page) {
      const verified = await inSnapshot(db, (tx) => verifyInvoice(tx, row));
      findings.push(...verified.findings);
      if (verified.unknown !== null) unknown.push(verified.unknown);
      lines += verified.lines;
      onStep(++done, all);
      after = row.id;
    }
  }
  return { derived: done - unknown.length, lines, findings, unknown };
}

interface VerifiedInvoice {
  readonly lines: number;
  readonly findings: readonly InvoiceFinding[];
  readonly unknown: UnknownInvoice | null;
}

/** One invoice. Reads in the caller's transaction. */
export async function verifyInvoice(tx: Tx, stored: StoredInvoice): Promise<VerifiedInvoice> {
  const { id, number } = stored;
  try {
    const derived = await deriveInvoice(tx, stored);
    const findings = [...differences(await storedParts(tx, stored), derivedParts(stored, derived))];
    return {
      lines: derived.parts.flatMap(({ lines }) => lines).length,
      findings: findings.map((finding) => ({ invoice: id, number, ...finding })),
      unknown: null,
    };
  } catch (error) {
    const isUnknown = error instanceof NotDerivableError || error instanceof UsageMonthArchivedError;
    if (!isUnknown) throw error;
    return { lines: 0, findings: [], unknown: { invoice: id, number, reason: error.message } };
  }
}

/** Name of a part, such as `line 2`, to its fields. */
type Parts = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** What an invoice says of money and time; its number, state and collection are no result of a derivation. */
const totalFields = [
  "currency",
  "periodStart",
  "periodEnd",
  "subtotalMinor",
  "taxMinor",
  "creditsAppliedMinor",
  "balanceAppliedMinor",
  "totalMinor",
] as const;

async function storedParts(tx: Tx, stored: StoredInvoice): Promise<Parts> {
  const lines = await linesOfInvoice(tx, stored.id);
  const draws = await tx.select().from(creditDraw).where(eq(creditDraw.invoiceId, stored.id));
  return parts(stored, lines, draws);
}

function derivedParts(
  stored: StoredInvoice,
  { parts: derived, totals, usage, taxQuote }: DerivedInvoice,
): Parts {
  const { id, issuedAt } = stored;
  const row = invoiceRow({ ...stored, parts: derived, totals, issuedAt, replaces: stored.replaces ?? "" });
  return new Map([
    ...parts(row, lineRows(id, derived), drawRows(id, totals, issuedAt)),
    ...differingUsage(usage),
    // Nothing stored equals a quote that is another one.
    ...(taxQuote === undefined || taxQuote.found === taxQuote.kept
      ? []
      : [["quote of its tax", { quote: taxQuote.found }] as const]),
  ]);
}

function parts(
  row: object,
  lines: readonly { readonly line: number }[],
  draws: readonly { readonly grantId: string; readonly amount: string; readonly line?: number }[],
): Parts {
  const totals = Object.entries(row).filter(([name]) => totalFields.some((field) => field === name));
  return new Map([
    ["invoice", Object.fromEntries(totals)],
    ...lines.map((line): [string, object] => [`line ${line.line}`, line]),
    ...draws.map((draw): [string, object] => [
      `draw on ${draw.grantId}${draw.line === undefined ? "" : ` by line ${draw.line}`}`,
      { amount: draw.amount },
    ]),
  ] as [string, Readonly<Record<string, unknown>>][]);
}

/** Readings that are not what was kept of them: as parts that nothing stored equals. */
function differingUsage({ found, kept }: DerivedInvoice["usage"]): Parts {
  const differing = found.filter(
    (one) => !kept.some((other) => canonicalJson(toJson(other)) === canonicalJson(toJson(one))),
  );
  return new Map(
    differing.map((seen) => [
      `usage of ${seen.meterKey} from ${isoOf(seen.start)}`,
      { fingerprint: seen.fingerprint },
    ]),
  );
}

/** Field by field, in the order of the parts; a part that only one side has is said as a whole. */
function* differences(found: Parts, expected: Parts): Generator<Omit<InvoiceFinding, "invoice" | "number">> {
  for (const part of new Set([...found.keys(), ...expected.keys()])) {
    const [one, other] = [found.get(part), expected.get(part)];
    if (one === undefined || other === undefined) {
      yield { what: part, found: textOf(one), expected: textOf(other) };
      continue;
    }
    for (const field of new Set([...Object.keys(one), ...Object.keys(other)])) {
      const [is, should] = [textOf(one[field]), textOf(other[field])];
      if (is !== should) yield { what: `${part} ${columnOf(field)}`, found: is, expected: should };
    }
  }
}

const columnOf = (field: string) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Canonical: equal texts are equal values. */
function textOf(value: unknown): string {
  if (value === undefined) return "nothing";
  const json = plain(toJson(value));
  return typeof json === "string" ? json : canonicalJson(json);
}

/** Whole numbers and decimals without their tags, as people look for them. */
function plain(json: JsonValue): JsonValue {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(plain);
  const entries = Object.entries(json);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined && only[0].startsWith("$")) return only[1];
  return Object.fromEntries(entries.map(([name, field]) => [name, plain(field)]));
}

async function countInvoices(tx: Tx): Promise<number> {
  const [row] = await rows<{ count: number }>(tx, sql`select count(*)::int as count from billing.invoice`);
  return row?.count ?? 0;
}
