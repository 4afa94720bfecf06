import { z } from "zod";
import { findOperation, listOperations, targetsOf } from "../../db/operations.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import type { OperationSubject } from "../operation-dependencies.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idParams, textInput } from "../wire.ts";
import { operationRunRoutes } from "./operation-runs.ts";
import {
  actionInput,
  operationAnswer,
  operationDetailsAnswer,
  operationDetailsSchema,
  operationSchema,
  planSchema,
  queueAnswer,
  queueInput,
  runAnswer,
  runQueryInput,
  signalInput,
  workflowIdInput,
} from "./operation-schemas.ts";

const subjectFields = {
  runs: z.array(workflowIdInput).min(1).max(100).optional().describe("The runs, by workflow id."),
  query: runQueryInput.optional().describe("Or: all running ones that it finds, at most 10,000."),
  queue: queueInput.optional().describe("Or, of `pause_queue` and `unpause_queue`: the queue."),
};
const operationInput = z
  .strictObject({
    action: actionInput,
    signal: signalInput.optional(),
    ...subjectFields,
    reason: textInput(500).describe("Why; it is kept for good."),
  })
  .superRefine(({ action, signal, runs, query, queue }, context) => {
    const isQueueAction = action === "pause_queue" || action === "unpause_queue";
    const given = [runs, query, queue].filter((subject) => subject !== undefined).length;
    if (given !== 1 || isQueueAction !== (queue !== undefined)) {
      const names = isQueueAction ? "queue" : "either runs or query";
      context.addIssue({
        code: "custom",
        path: ["action"],
        message: `needs ${names}, and nothing else of these`,
      });
    }
    if ((action === "signal") !== (signal !== undefined)) {
      context.addIssue({
        code: "custom",
        path: ["signal"],
        message: "goes with the action signal, and with no other",
      });
    }
  })
  .meta({ id: "OperationRequest" });
type OperationInput = z.output<typeof operationInput>;

const tags = ["Operations"];
const refusals = ["run_not_found", "run_query_invalid", "operation_too_large"];
const outcomesMax = 1_000;

/** What operators do to runs and queues, and the record of it. */
export function operationRoutes(api: ApiInstance, deps: ApiDependencies): void {
  operationRunRoutes(api, deps);
  planOperation(api, deps);
  openOperation(api, deps);
  continueOperation(api, deps);
  readOperations(api, deps);
}

function planOperation(api: ApiInstance, { operations }: ApiDependencies): void {
  api.post(
    "/v1/operations/plan",
    {
      config: { scope: "operate", refusals, repeatable: true },
      schema: {
        tags,
        summary: "What an operation would be done to now; nothing is done",
        body: operationInput,
        response: { 200: planSchema },
      },
    },
    async ({ body }) => {
      const { runs, queue } = await operations.plan(requestOf(body));
      return {
        targets: queue === null ? runs.length : 1,
        runs: runs.slice(0, 100).map(runAnswer),
        queue: queue && queueAnswer(queue),
      };
    },
  );
}

function openOperation(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/operations",
    {
      config: { scope: "operate", refusals: [...refusals, "operation_without_target"] },
      schema: {
        tags,
        summary: "Do something to runs, or to a queue",
        description:
          "What it is done to is settled and written down first; then it is done to the first 100, and to the rest by " +
          "`/continue`. Each target is done once, and says what became of it.",
        body: operationInput,
        response: { 201: operationDetailsSchema },
      },
    },
    async (request, reply) => {
      const id = newId(request, "op");
      await deps.operations.open({ id, ...requestOf(request.body) }, contextOf(request));
      await deps.operations.work(id, contextOf(request));
      return reply.code(201).send(await detailsOf(deps, id));
    },
  );
}

function continueOperation(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/operations/:id/continue",
    {
      config: { scope: "operate", refusals: ["operation_not_found"], repeatable: true },
      schema: {
        tags,
        summary: "Go on with an operation: the next 100 of its targets",
        params: idParams,
        response: { 200: operationDetailsSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      await deps.operations.work(id, contextOf(request));
      return await detailsOf(deps, id);
    },
  );
}

function readOperations(api: ApiInstance, deps: ApiDependencies): void {
  api.get(
    "/v1/operations",
    {
      config: { scope: "operate", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List what operators did, the newest first",
        querystring: pageQuery,
        response: { 200: listOf(operationSchema) },
      },
    },
    async ({ query }) => {
      const page = await listOperations(deps.db.orm, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, operationAnswer);
    },
  );
  api.get(
    "/v1/operations/:id",
    {
      config: { scope: "operate", refusals: ["operation_not_found"] },
      schema: {
        tags,
        summary: "An operation, and what became of each of its targets",
        params: idParams,
        response: { 200: operationDetailsSchema },
      },
    },
    ({ params: { id } }) => detailsOf(deps, id),
  );
}

async function detailsOf({ db }: ApiDependencies, id: string) {
  const stored = found(await findOperation(db.orm, id), "operation", id);
  return operationDetailsAnswer(stored, await targetsOf(db.orm, id, { limit: outcomesMax }));
}

function requestOf({ action, signal, reason, runs, query, queue }: OperationInput) {
  return { action, signal: signal ?? null, reason, subject: subjectOf({ runs, query, queue }) };
}

function subjectOf({
  runs,
  query,
  queue,
}: Pick<OperationInput, "runs" | "query" | "queue">): OperationSubject {
  if (runs !== undefined) return { runs };
  return queue === undefined ? { query: query ?? "" } : { queue };
}
