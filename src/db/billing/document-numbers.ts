import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import {
  type DocumentKind,
  type DocumentSeries,
  defaultNumbering,
  documentNumber,
  documentSeries,
} from "../../domain/invoicing/document/index.ts";
import { sql, type Tx } from "../database.ts";
import { numberSeries } from "../schema/invoice-documents.ts";
import { currentSeller, type StoredSeller } from "./seller.ts";

export interface NumberedDocument {
  readonly number: string;
  /** Who sells: what the document will say; null as long as nobody said. */
  readonly sellerVersion: number | null;
}

interface Document {
  readonly customerId: string;
  readonly issuedAt: Instant;
}

/** The series that the seller chose for a document. */
export function seriesOf(
  seller: StoredSeller | undefined,
  kind: DocumentKind,
  { customerId, issuedAt }: Document,
): DocumentSeries {
  const year = Number(isoOf(issuedAt).slice(0, 4));
  return documentSeries(seller?.details.numbering ?? defaultNumbering, kind, { customerId, year });
}

/**
 * The next number of the series that the seller chose, without gaps: it is given back when the transaction is rolled back, and
 * until that is known, whoever wants the next number of the series waits.
 */
export async function nextNumber(tx: Tx, kind: DocumentKind, document: Document): Promise<NumberedDocument> {
  const seller = await currentSeller(tx);
  const series = seriesOf(seller, kind, document);
  const [counted] = await tx
    .insert(numberSeries)
    .values({ series: series.series, lastNumber: 1 })
    .onConflictDoUpdate({
      target: numberSeries.series,
      set: { lastNumber: sql`${numberSeries.lastNumber} + 1` },
    })
    .returning({ count: numberSeries.lastNumber });
  invariant(counted, "a series that counts says its number");
  return { number: documentNumber(series, counted.count), sellerVersion: seller?.version ?? null };
}
