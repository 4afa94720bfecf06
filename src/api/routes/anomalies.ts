import { z } from "zod";
import {
  anomalyRules,
  changeRule,
  findAnomaly,
  listAnomalies,
  noteAnomaly,
  notesOf,
  type StoredAnomaly,
  type StoredNote,
  type StoredRule,
} from "../../db/anomalies/anomalies.ts";
import { inTransaction } from "../../db/database.ts";
import { anomalyKinds, anomalyStates } from "../../domain/anomalies/index.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idInput, idParams, textInput } from "../wire.ts";
import {
  anomalyDetailSchema,
  anomalyRuleInput,
  anomalyRuleSchema,
  anomalySchema,
} from "./anomaly-schemas.ts";

const tags = ["Anomalies"];
type AnomalyDependencies = Pick<ApiDependencies, "db" | "now">;

/** What is unlike everything before, as cases that people work on. */
export function anomalyRoutes(api: ApiInstance, deps: AnomalyDependencies): void {
  getAnomalies(api, deps);
  getAnomaly(api, deps);
  postNote(api, deps);
  ruleRoutes(api, deps);
}

const anomaliesQuery = pageQuery.extend({
  kind: z.enum(anomalyKinds).optional(),
  state: z.enum(anomalyStates).optional(),
  customer: idInput.optional(),
});

function getAnomalies(api: ApiInstance, { db }: AnomalyDependencies): void {
  api.get(
    "/v1/anomalies",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List cases of what is unusual, the newest first",
        querystring: anomaliesQuery,
        response: { 200: listOf(anomalySchema) },
      },
    },
    async ({ query: { customer: customerId, kind, state, ...paging } }) => {
      const page = await listAnomalies(db.orm, { customerId, kind, state }, pageRequest(paging, newestFirst));
      return listAnswer(page, newestFirst, anomalyAnswer);
    },
  );
}

function getAnomaly(api: ApiInstance, { db }: AnomalyDependencies): void {
  api.get(
    "/v1/anomalies/:id",
    {
      config: { scope: "read", refusals: ["anomaly_not_found"] },
      schema: {
        tags,
        summary: "A case, with what was done about it",
        params: idParams,
        response: { 200: anomalyDetailSchema },
      },
    },
    async ({ params: { id } }) => {
      const stored = found(await findAnomaly(db.orm, id), "anomaly", id);
      return { ...anomalyAnswer(stored), notes: (await notesOf(db.orm, id)).map(noteAnswer) };
    },
  );
}

const noteInput = z
  .strictObject({
    note: textInput(2_000).optional(),
    state: z.enum(anomalyStates).optional().describe("The case has it from now on."),
    owner: textInput(100).optional().describe("Who takes care of it from now on."),
  })
  .refine((input) => Object.values(input).some((value) => value !== undefined), {
    error: "has nothing to say: give a note, a state or an owner",
  });

function postNote(api: ApiInstance, { db, now }: AnomalyDependencies): void {
  api.post(
    "/v1/anomalies/:id/notes",
    {
      config: { scope: "write", refusals: ["anomaly_not_found"] },
      schema: {
        tags,
        summary: "Say what was done about a case: a note, its state, its owner",
        params: idParams,
        body: noteInput,
        response: { 201: anomalyDetailSchema },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { note = null, state = null, owner = null } = request.body;
      const answer = await inTransaction(db, async (tx) => {
        found(await findAnomaly(tx, id), "anomaly", id);
        const said = { id: newId(request, "ann"), anomalyId: id, note, state, owner };
        await noteAnomaly(tx, { ...said, notedBy: callerOf(request).actor, notedAt: now() });
        const stored = found(await findAnomaly(tx, id), "anomaly", id);
        return { ...anomalyAnswer(stored), notes: (await notesOf(tx, id)).map(noteAnswer) };
      });
      return reply.code(201).send(answer);
    },
  );
}

const ruleParams = z.strictObject({ kind: z.enum(anomalyKinds) });

function ruleRoutes(api: ApiInstance, { db, now }: AnomalyDependencies): void {
  api.get(
    "/v1/anomalies/rules",
    {
      config: { scope: "read" },
      schema: {
        tags,
        summary: "What is looked for, and by what measure",
        response: { 200: z.object({ data: z.array(anomalyRuleSchema) }) },
      },
    },
    async () => ({ data: (await anomalyRules(db.orm)).map(ruleAnswer) }),
  );
  api.put(
    "/v1/anomalies/rules/:kind",
    {
      config: { scope: "operate" },
      schema: {
        tags,
        summary: "Change what counts as unusual from now on",
        params: ruleParams,
        body: anomalyRuleInput,
        response: { 200: anomalyRuleSchema },
      },
    },
    async (request) => {
      const { kind } = request.params;
      const { watched, tenths_min: tenthsMin, history_min: historyMin, amount_min: amountMin } = request.body;
      const changed = { changedBy: callerOf(request).actor, changedAt: now() };
      const rule = {
        kind,
        isWatched: watched,
        tenthsMin,
        historyMin,
        amountMin: BigInt(amountMin),
        ...changed,
      };
      return ruleAnswer(found(await changeRule(db.orm, rule), "anomaly_rule", kind));
    },
  );
}

const anomalyAnswer = (stored: StoredAnomaly): z.infer<typeof anomalySchema> => ({
  id: stored.id,
  kind: stored.kind,
  customer: stored.customerId,
  subject: { type: stored.subjectType, id: stored.subjectId },
  evidence: { ...stored.evidence },
  found_at: isoOf(stored.foundAt),
  state: stored.state,
  owner: stored.owner,
  changed_at: isoOf(stored.changedAt),
});

const noteAnswer = ({ id, note, state, owner, notedBy, notedAt }: StoredNote) => ({
  id,
  note,
  state,
  owner,
  noted_by: notedBy,
  noted_at: isoOf(notedAt),
});

const ruleAnswer = (rule: StoredRule): z.infer<typeof anomalyRuleSchema> => ({
  kind: rule.kind,
  watched: rule.isWatched,
  tenths_min: rule.tenthsMin,
  history_min: rule.historyMin,
  amount_min: rule.amountMin.toString(),
  changed_by: rule.changedBy,
  changed_at: isoOf(rule.changedAt),
});
