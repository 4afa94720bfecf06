import { z } from "zod";
import {
  type AuditEvent,
  type AuditFilter,
  findAuditEvent,
  listAuditEvents,
  readAuditTrail,
} from "../../db/audit-trail.ts";
import type { Tx } from "../../db/database.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { csvLine, harmlessText } from "../../domain/export/csv.ts";
import { resources, verbs } from "../access/permissions.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { fileStreams } from "../streamed-file.ts";
import { idInput, idParams, instantInput, instantText, textInput } from "../wire.ts";

const auditEventSchema = z
  .object({
    id: z.string(),
    at: instantText,
    actor: z.string().describe("Who.").meta({ example: "person/psn_1" }),
    rights: z.array(z.string()).describe("By which roles or scopes they were let in."),
    operation: z.string().describe("What they did.").meta({ example: "PATCH /v1/customers/:id" }),
    resource: z.string().meta({ example: "customers" }),
    verb: z.enum([...verbs, "any"]),
    path: z.string(),
    customer: z.string().nullable(),
    reason: z.string().nullable().describe("Why."),
    input: z.unknown().describe("What was asked for, without secrets."),
    answer: z.unknown().describe("What was answered, where a workflow made the change; null otherwise."),
    changes: z
      .array(z.object({ table: z.string(), before: z.unknown(), after: z.unknown() }))
      .describe(
        "The rows that it changed, written in the same commit: null before is new, null after is gone.",
      ),
    request_id: z.string(),
  })
  .meta({ id: "AuditEvent" });

const filters = {
  actor: textInput(200).optional(),
  customer: idInput.optional(),
  resource: z.enum([resources[0] ?? "", ...resources.slice(1)]).optional(),
  from: instantInput.optional(),
  to: instantInput.optional().describe("Left out of the stretch."),
  search: textInput(200).optional().describe("Some of the text of path, reason, operation or actor."),
};

const tags = ["Audit"];

/** Who changed what, why, and what was there before: it can be searched and exported, and nobody can change it. */
export function auditEventRoutes(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/audit-events",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "Search the audit trail, the newest first",
        querystring: pageQuery.extend(filters),
        response: { 200: listOf(auditEventSchema) },
      },
    },
    async ({ query: { limit, cursor, ...filter } }) => {
      const page = await listAuditEvents(db.orm, filter, pageRequest({ limit, cursor }, newestFirst));
      return listAnswer(page, newestFirst, auditAnswer);
    },
  );
  api.get(
    "/v1/audit-events/:id",
    {
      config: { scope: "read", refusals: ["audit_event_not_found"] },
      schema: {
        tags,
        summary: "Read one entry of the audit trail",
        params: idParams,
        response: { 200: auditEventSchema },
      },
    },
    async ({ params: { id } }) => auditAnswer(found(await findAuditEvent(db.orm, id), "audit_event", id)),
  );
  exportTrail(api, { db });
}

const contentTypes = {
  csv: "text/csv; charset=utf-8; header=present",
  jsonl: "application/jsonl; charset=utf-8",
};
type Format = keyof typeof contentTypes;

function exportTrail(api: ApiInstance, { db }: Pick<ApiDependencies, "db">): void {
  const streamFile = fileStreams(db);
  api.get(
    "/v1/audit-events/export",
    {
      config: { scope: "read", refusals: ["too_many_requests"] },
      schema: {
        tags,
        summary: "Export the audit trail",
        description:
          "One row per entry, the newest first, from one snapshot. In CSV a text that a spreadsheet would take for a formula has an apostrophe in front.",
        querystring: z.strictObject({ ...filters, format: z.enum(["csv", "jsonl"]).default("csv") }),
        response: {
          200: {
            content: { "text/csv": { schema: z.string() }, "application/jsonl": { schema: z.string() } },
          },
        },
      },
    },
    async ({ query: { format, ...filter } }, reply) =>
      streamFile(reply, {
        contentType: contentTypes[format],
        name: `audit-events.${format}`,
        pieces: (tx) => trailPieces(tx, filter, format),
      }),
  );
}

const columns = [
  "id",
  "at",
  "actor",
  "rights",
  "operation",
  "resource",
  "verb",
  "path",
  "customer",
  "reason",
  "input",
  "answer",
  "changes",
  "request_id",
] as const;

async function* trailPieces(tx: Tx, filter: AuditFilter, format: Format): AsyncGenerator<string> {
  let head = format === "csv" ? csvLine(columns) : "";
  for await (const events of readAuditTrail(tx, filter)) {
    const lines = events
      .map(auditAnswer)
      .map(format === "csv" ? lineOf : (event) => `${JSON.stringify(event)}\n`);
    // A stream that has not begun has nothing to show yet.
    yield head + lines.join("") || "\n";
    head = "";
  }
}

function lineOf(event: z.infer<typeof auditEventSchema>): string {
  const cell = (value: unknown) =>
    value === null ? "" : harmlessText(typeof value === "string" ? value : JSON.stringify(value));
  return csvLine(columns.map((column) => cell(event[column])));
}

const auditAnswer = (event: AuditEvent): z.infer<typeof auditEventSchema> => ({
  id: event.id,
  at: isoOf(event.at),
  actor: event.actor,
  rights: event.rights,
  operation: event.operation,
  resource: event.resource,
  verb: verbs.find((verb) => verb === event.verb) ?? "any",
  path: event.path,
  customer: event.customerId,
  reason: event.reason,
  input: event.input ?? null,
  answer: event.answer ?? null,
  changes: event.changes.map(({ relation, before, after }) => ({
    table: relation,
    before: before ?? null,
    after: after ?? null,
  })),
  request_id: event.requestId,
});
