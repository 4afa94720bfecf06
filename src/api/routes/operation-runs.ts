import { z } from "zod";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import {
  queueAnswer,
  queueSchema,
  runAnswer,
  runDetailsAnswer,
  runDetailsSchema,
  runQueryInput,
  runSchema,
  workflowIdInput,
} from "./operation-schemas.ts";

const tags = ["Operations"];

const runsQuery = z.strictObject({
  query: runQueryInput.default("ExecutionStatus = 'Running'"),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.base64url().max(4_000).optional().describe("`next_cursor` of the page before."),
});

/** Runs and queues as operators see them. */
export function operationRunRoutes(api: ApiInstance, { operations }: ApiDependencies): void {
  api.get(
    "/v1/operations/runs",
    {
      config: { scope: "operate", refusals: ["run_query_invalid", "cursor_invalid"] },
      schema: {
        tags,
        summary: "List runs, the newest first",
        description: "By Temporal's visibility, which is a little behind what happens.",
        querystring: runsQuery,
        response: {
          200: z.object({
            data: z.array(runSchema),
            total: z.number().int().describe("How many the query finds."),
            next_cursor: z.string().nullable(),
          }),
        },
      },
    },
    async ({ query: { query, limit, cursor } }) => {
      const page = { limit, ...(cursor === undefined ? {} : { token: cursor }) };
      const { runs, token } = await operations.listRuns(query, page);
      return {
        data: runs.map(runAnswer),
        total: await operations.countRuns(query),
        next_cursor: token ?? null,
      };
    },
  );
  api.get(
    "/v1/operations/run",
    {
      config: { scope: "operate", refusals: ["run_not_found"] },
      schema: {
        tags,
        summary: "A run: what it waits for, and why",
        querystring: z.strictObject({ workflow_id: workflowIdInput }),
        response: { 200: runDetailsSchema },
      },
    },
    async ({ query: { workflow_id: id } }) =>
      runDetailsAnswer(found(await operations.readRun(id), "run", id)),
  );
  api.get(
    "/v1/operations/queues",
    {
      config: { scope: "operate" },
      schema: {
        tags,
        summary: "The task queues: what waits, and which are paused",
        response: { 200: z.object({ data: z.array(queueSchema) }) },
      },
    },
    async () => ({ data: (await operations.queues()).map(queueAnswer) }),
  );
}
