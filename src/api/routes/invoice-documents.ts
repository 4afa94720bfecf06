import type { FastifyReply } from "fastify";
import { z } from "zod";
import { findCreditNote } from "../../db/billing/credit-notes.ts";
import { findInvoice } from "../../db/billing/invoices.ts";
import { printableCreditNote } from "../../db/billing/printable-credit-note.ts";
import { printableInvoice } from "../../db/billing/printable-invoice.ts";
import { type Database, inSnapshot } from "../../db/database.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import {
  documentOfCreditNote,
  documentOfInvoice,
  type InvoiceDocument,
} from "../../domain/invoicing/document/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { documentHtml } from "../invoice-document/document-html.ts";
import { documentPdf } from "../invoice-document/document-pdf.ts";
import { contentSecurityPolicy } from "../invoice-document/document-style.ts";
import { preferredType } from "../preferred-type.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idParams } from "../wire.ts";

const mediaTypes = ["text/html", "application/pdf"] as const;
type MediaType = (typeof mediaTypes)[number];

const forms: readonly { readonly suffix: string; readonly type: MediaType | null }[] = [
  { suffix: "", type: null },
  { suffix: ".html", type: "text/html" },
  { suffix: ".pdf", type: "application/pdf" },
];

const response = {
  200: { content: { "text/html": { schema: z.string() }, "application/pdf": { schema: z.string() } } },
};

interface FoundDocument {
  readonly document: InvoiceDocument;
  readonly issuedAt: Instant;
}

/** Invoices and credit notes as a customer gets them. */
export function invoiceDocumentRoutes(api: ApiInstance, { db }: Pick<ApiDependencies, "db">): void {
  documentsOf(api, {
    path: "/v1/invoices/:id/document",
    tag: "Invoices",
    what: "An invoice",
    refusals: ["invoice_not_found"],
    find: (id) => invoiceDocument(db, id),
  });
  documentsOf(api, {
    path: "/v1/credit-notes/:id/document",
    tag: "Credit notes",
    what: "An issued credit note",
    refusals: ["credit_note_not_found", "credit_note_not_issued"],
    find: (id) => creditNoteDocument(db, id),
  });
}

interface DocumentRoutes {
  readonly path: string;
  readonly tag: string;
  readonly what: string;
  readonly refusals: readonly string[];
  readonly find: (id: string) => Promise<FoundDocument>;
}

function documentsOf(api: ApiInstance, { path, tag, what, refusals, find }: DocumentRoutes): void {
  for (const { suffix, type } of forms) {
    const form = type === null ? "HTML or PDF, as `Accept` says" : type === "text/html" ? "HTML" : "PDF";
    api.get(
      `${path}${suffix}`,
      {
        config: { scope: "read", refusals },
        schema: {
          tags: [tag],
          summary: `${what} as a document: ${form}`,
          description: "Complete in itself: nothing is fetched. Days are said in the customer's time zone.",
          params: idParams,
          response,
        },
      },
      async ({ params: { id }, headers: { accept } }, reply) => {
        const { document, issuedAt } = await find(id);
        return await sendDocument(reply, document, type ?? preferredType(accept, mediaTypes), issuedAt);
      },
    );
  }
}

/** @param madeAt what a PDF says of itself: the same document is the same file, byte for byte */
export async function sendDocument(
  reply: FastifyReply,
  document: InvoiceDocument,
  type: MediaType,
  madeAt: Instant,
): Promise<FastifyReply> {
  reply.header("vary", "accept").serializer((payload) => payload as string);
  if (type === "text/html") {
    reply.header("content-security-policy", contentSecurityPolicy);
    return reply.type("text/html; charset=utf-8").send(documentHtml(document));
  }
  const name = (document.number ?? "preview").replace(/[^A-Za-z0-9._-]/g, "_");
  reply.header("content-disposition", `inline; filename="${name}.pdf"`);
  return reply.type("application/pdf").send(await documentPdf(document, new Date(madeAt)));
}

async function invoiceDocument(db: Database, id: string): Promise<FoundDocument> {
  return await inSnapshot(db, async (tx) => {
    const invoice = found(await findInvoice(tx, id), "invoice", id);
    return { document: documentOfInvoice(await printableInvoice(tx, invoice)), issuedAt: invoice.issuedAt };
  });
}

async function creditNoteDocument(db: Database, id: string): Promise<FoundDocument> {
  return await inSnapshot(db, async (tx) => {
    const note = found(await findCreditNote(tx, id), "credit_note", id);
    const printable = await printableCreditNote(tx, note);
    if (printable === null) {
      throw new RequestRefusedError("credit_note_not_issued", "it is not issued: it has no number yet");
    }
    return { document: documentOfCreditNote(printable), issuedAt: printable.issuedAt };
  });
}
