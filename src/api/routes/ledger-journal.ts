import { z } from "zod";
import { inTransaction, type Tx } from "../../db/database.ts";
import { journalPages, journalTotals } from "../../db/ledger/journal-export.ts";
import { type JournalFormat, journalHead, journalLines } from "../../domain/export/journal-rows.ts";
import type { AccountingMonth } from "../../domain/ledger/accounting-month.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import type { FileStreams } from "../streamed-file.ts";
import { monthInput, monthText } from "../wire.ts";
import { codeLineFields, totalsAnswer } from "./ledger-trial-balance.ts";
import { sidesAnswer, sidesFields } from "./ledger-wire.ts";

const totalsSchema = z
  .object({
    month: monthText,
    entries: z.string().describe("How many entries the export has."),
    postings: z.string().describe("How many rows the export has."),
    data: z
      .array(z.object({ ...codeLineFields, ...sidesFields }))
      .describe("By currency and code; equal to the movements of the month's trial balance."),
    totals: z.array(z.object({ ...sidesFields, currency: z.string(), balanced: z.boolean() })),
  })
  .meta({ id: "JournalTotals" });

const tags = ["Ledger"];
const contentTypes: Readonly<Record<JournalFormat, string>> = {
  csv: "text/csv; charset=utf-8",
  jsonl: "application/jsonl; charset=utf-8",
};

export function ledgerJournalRoutes(
  api: ApiInstance,
  { db }: ApiDependencies,
  streamFile: FileStreams,
): void {
  exportJournal(api, streamFile);
  api.get(
    "/v1/ledger/journal/totals",
    {
      config: { scope: "read" },
      schema: {
        tags,
        summary: "What the export of a month comes to, by currency and code",
        querystring: z.strictObject({ month: monthInput }),
        response: { 200: totalsSchema },
      },
    },
    async ({ query: { month } }) =>
      inTransaction(db, (tx) => totalsOf(tx, month), { isolation: "repeatable read" }),
  );
}

async function totalsOf(tx: Tx, month: AccountingMonth): Promise<z.infer<typeof totalsSchema>> {
  const { entries, postings, totals } = await journalTotals(tx, month);
  return {
    month,
    entries: entries.toString(),
    postings: postings.toString(),
    data: totals.map(({ currency, code, name, ...sides }) => ({
      currency,
      code,
      name,
      ...sidesAnswer(sides),
    })),
    totals: totalsAnswer(totals),
  };
}

const description = `
One row per posting of the entries that are effective in the month (UTC), by entry and line; the columns are told in
\`docs/journal-export.md\`. CSV is RFC 4180 in UTF-8 with a header: a text that a spreadsheet would take for a formula
(one that starts with = + - @, a tab or a line break) has an apostrophe in front, and so has one that starts with an apostrophe.
In JSON Lines texts are as they are stored. The file is one snapshot of the ledger. It is complete when the answer ends as HTTP
says; \`/v1/ledger/journal/totals\` tells what it must come to. A reader who takes nothing for 30 seconds is cut off.
`.trim();

function exportJournal(api: ApiInstance, streamFile: FileStreams): void {
  api.get(
    "/v1/ledger/journal",
    {
      config: { scope: "read", refusals: ["too_many_requests"] },
      schema: {
        tags,
        summary: "Export the journal of a month for an accounting system",
        description,
        querystring: z.strictObject({
          month: monthInput,
          format: z.enum(["csv", "jsonl"]).default("csv").describe("CSV, or JSON Lines."),
        }),
        response: {
          200: {
            content: {
              "text/csv": { schema: z.string() },
              "application/jsonl": { schema: z.string() },
            },
          },
        },
      },
    },
    async ({ query: { month, format } }, reply) =>
      streamFile(reply, {
        contentType: contentTypes[format],
        name: `journal-${month}.${format}`,
        pieces: (tx) => journalPieces(tx, month, format),
      }),
  );
}

/** The head comes with the first page: what fails before it is answered as a problem. */
async function* journalPieces(tx: Tx, month: AccountingMonth, format: JournalFormat): AsyncGenerator<string> {
  let head = journalHead(format);
  for await (const page of journalPages(tx, month)) {
    yield head + journalLines(format, page);
    head = "";
  }
  if (head !== "") yield head;
}
