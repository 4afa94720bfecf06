import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { findCreditGrant } from "../../db/billing/api-reads.ts";
import { findCustomer } from "../../db/billing/customers.ts";
import { type Database, inSnapshot, type Tx } from "../../db/database.ts";
import { readStatement, type StatementRequest } from "../../db/ledger/ledger-statements.ts";
import { period } from "../../domain/calendar/index.ts";
import {
  type StatementLine,
  statementFoot,
  statementHead,
  statementLines,
} from "../../domain/export/statement-rows.ts";
import { currency, minorText } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { preferredType } from "../preferred-type.ts";
import { found, NotFoundError, RequestRefusedError } from "../refusals.ts";
import type { FileStreams } from "../streamed-file.ts";
import { currencyInput, idInput, idParams, instantInput, isoOrNull } from "../wire.ts";
import { statementLineAnswer, statementSchema } from "./ledger-statement-schema.ts";

const statementQuery = z.strictObject({
  account: z
    .enum(["receivable", "balance", "credits"])
    .describe(
      "`receivable`: what invoices say is owed (1100). `balance`: what is kept for the customer (2200). " +
        "`credits`: what is left of all credit grants (2000 and 2010).",
    ),
  grant: idInput.optional().describe("Of `credits`, only this grant."),
  currency: currencyInput.optional().describe("The customer's own when left out."),
  from: instantInput.optional().describe("From the beginning when left out."),
  to: instantInput.optional().describe("Exclusive; everything there is when left out."),
  by: z
    .enum(["effective", "recorded"])
    .default("effective")
    .describe(
      "Which instant of an entry puts it into the period and in order. By `recorded`, the versions of an account follow " +
        "each other without a gap.",
    ),
  format: z.enum(["json", "csv"]).optional().describe("For links; otherwise the Accept header says it."),
});

const description = `
The opening balance and the amounts of all lines come to the closing balance, exactly; all is one snapshot of the ledger.
\`Accept: text/csv\` (or \`format=csv\`) gives a file of any length, with the opening balance as its first row and the closing
balance as its last; JSON has at most 10,000 lines.
`.trim();

const linesMax = 10_000;

export function ledgerStatementRoutes(
  api: ApiInstance,
  { db }: ApiDependencies,
  streamFile: FileStreams,
): void {
  api.get(
    "/v1/customers/:id/statement",
    {
      config: {
        scope: "read",
        refusals: [
          "customer_not_found",
          "credit_grant_not_found",
          "period_invalid",
          "statement_too_long",
          "too_many_requests",
        ],
      },
      schema: {
        tags: ["Ledger"],
        summary: "A statement of what a customer owes, has with us, or has in credits",
        description,
        params: idParams,
        querystring: statementQuery,
        response: {
          200: {
            content: {
              "application/json": { schema: statementSchema },
              "text/csv": { schema: z.string() },
            },
          },
        },
      },
    },
    async (request, reply) => {
      const wanted = await statementRequest(db, request.params.id, request.query);
      reply.header("vary", "accept");
      if (!wantsCsv(request, request.query.format)) {
        return reply.type("application/json; charset=utf-8").send(await jsonStatement(db, wanted));
      }
      return streamFile(reply, {
        contentType: "text/csv; charset=utf-8",
        name: `statement-${wanted.customerId.replaceAll(":", "-")}-${wanted.subject}.csv`,
        pieces: (tx) => csvPieces(tx, wanted),
      });
    },
  );
}

function wantsCsv({ headers }: FastifyRequest, format: "json" | "csv" | undefined): boolean {
  if (format !== undefined) return format === "csv";
  return preferredType(headers.accept, ["application/json", "text/csv"]) === "text/csv";
}

async function statementRequest(
  { orm }: Database,
  customerId: string,
  {
    account: subject,
    grant: grantId,
    currency: wanted,
    from,
    to,
    by: clock,
  }: z.output<typeof statementQuery>,
): Promise<StatementRequest> {
  const customer = found(await findCustomer(orm, customerId), "customer", customerId);
  if (grantId !== undefined) {
    if (subject !== "credits") {
      throw new RequestRefusedError("request_invalid", "only a statement of credits has a grant", "grant");
    }
    const grant = await findCreditGrant(orm, grantId);
    if (grant?.customerId !== customerId) throw new NotFoundError("credit_grant", grantId);
  }
  if (from !== undefined && to !== undefined) period(from, to, "to");
  return { customerId, currency: wanted ?? currency(customer.currency), subject, grantId, clock, from, to };
}

function jsonStatement(db: Database, request: StatementRequest): Promise<z.infer<typeof statementSchema>> {
  return inSnapshot(db, async (tx) => {
    const { opening, closing, pages } = await readStatement(tx, request);
    const lines: StatementLine[] = [];
    for await (const page of pages) {
      lines.push(...page);
      if (lines.length > linesMax) {
        const message = `has more than ${linesMax} lines: ask for a shorter period, or for CSV`;
        throw new RequestRefusedError("statement_too_long", `this statement ${message}`);
      }
    }
    const { customerId, subject, grantId, currency, clock, from, to } = request;
    return {
      customer: customerId,
      account: subject,
      grant: grantId ?? null,
      currency,
      by: clock,
      from: isoOrNull(from ?? null),
      to: isoOrNull(to ?? null),
      opening_minor: minorText(opening),
      closing_minor: minorText(closing),
      data: lines.map(statementLineAnswer),
    };
  });
}

async function* csvPieces(tx: Tx, request: StatementRequest): AsyncGenerator<string> {
  const { opening, closing, pages } = await readStatement(tx, request);
  yield statementHead(request.currency, opening);
  for await (const page of pages) yield statementLines(request.currency, page);
  yield statementFoot(request.currency, closing);
}
