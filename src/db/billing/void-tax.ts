import { desc, eq } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { ClosedTogether, InvoiceLine, TaxablePart, TaxBasis } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { voidTaxWanted } from "../schema/tax.ts";
import { lineFromJson, lineToJson } from "./line-json.ts";

/** Tax that the invoice wants which bills anew what a void one billed. */
export interface TaxWantedByVoid {
  readonly quote: string;
  readonly basis: TaxBasis;
  readonly closed: ClosedTogether;
  readonly taxable: readonly TaxablePart[];
}

/** The lines that tax is wanted for, as they were when voiding was asked for. */
export interface StoredTaxWanted {
  readonly quote: string;
  readonly basis: TaxBasis;
  readonly lines: readonly { readonly line: InvoiceLine; readonly taxableMinor: string | null }[];
  readonly wantedAt: Instant;
}

/** Keeps what is wanted; the same lines again are one quote. */
export async function insertVoidTaxWanted(
  tx: Tx,
  invoiceId: string,
  { quote, basis, closed, taxable }: TaxWantedByVoid,
  wantedAt: Instant,
): Promise<void> {
  const lines = closed.parts
    .flatMap((part) => part.lines)
    .map((line, place) => {
      const on = taxable.find(({ number }) => number === place + 1)?.taxable;
      return { line: lineToJson(line), taxableMinor: on?.amountMinor.toString() ?? null };
    });
  await tx.insert(voidTaxWanted).values({ invoiceId, quote, basis, lines, wantedAt }).onConflictDoNothing();
}

/** What was wanted last; undefined where nothing was. */
export async function findVoidTaxWanted(tx: Tx, invoiceId: string): Promise<StoredTaxWanted | undefined> {
  const [row] = await tx
    .select()
    .from(voidTaxWanted)
    .where(eq(voidTaxWanted.invoiceId, invoiceId))
    .orderBy(desc(voidTaxWanted.number))
    .limit(1);
  if (row === undefined) return undefined;
  const { quote, basis, wantedAt, lines } = row;
  return {
    ...{ quote, basis, wantedAt },
    lines: lines.map(({ line, taxableMinor }) => ({ line: lineFromJson(line), taxableMinor })),
  };
}
