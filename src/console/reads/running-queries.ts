import { queryOptions } from "@tanstack/react-query";
import type { Schemas } from "../../sdk/index.ts";
import { listQuery } from "./list-query.ts";
import { read } from "./read.ts";

/** What is under way: runs, queues, what Stripe told us, what we tell others. It changes by itself, so it is read again. */

const againMs = 15_000;

export const readinessQuery = () =>
  queryOptions({
    queryKey: ["readiness"],
    queryFn: ({ signal }) => read(signal, (reckoner) => reckoner.get("/readyz", { signal })),
    refetchInterval: againMs,
  });

export const queuesQuery = () =>
  queryOptions({
    queryKey: ["queues"],
    queryFn: ({ signal }) => read(signal, (reckoner) => reckoner.get("/v1/operations/queues", { signal })),
    refetchInterval: againMs,
  });

/** What operators ask Temporal about, by the name of the choice. */
export const runChoices = {
  attention: "NeedsAttention = true and ExecutionStatus = 'Running'",
  running: "ExecutionStatus = 'Running'",
  failed: "ExecutionStatus in ('Failed', 'TimedOut', 'Terminated')",
  completed: "ExecutionStatus = 'Completed'",
} as const;
export type RunChoice = keyof typeof runChoices;

export const runsQuery = (choice: RunChoice) =>
  listQuery(["runs", choice], (reckoner, page, signal) =>
    reckoner.get("/v1/operations/runs", {
      params: { query: { ...page, query: runChoices[choice] } },
      signal,
    }),
  );

/** How many runs there are of a choice. */
export const runCountQuery = (choice: RunChoice) =>
  queryOptions({
    queryKey: ["run count", choice],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) =>
        reckoner.get("/v1/operations/runs", {
          params: { query: { limit: 1, query: runChoices[choice] } },
          signal,
        }),
      ),
    refetchInterval: againMs,
  });

export const stripeEventsQuery = (state: Schemas["StripeEvent"]["state"] & ("parked" | "waiting")) =>
  listQuery(["stripe events", state], (reckoner, page, signal) =>
    reckoner.get("/v1/stripe-events", { params: { query: { ...page, state } }, signal }),
  );

export const endpointsQuery = () =>
  listQuery(["webhook endpoints"], (reckoner, page, signal) =>
    reckoner.get("/v1/webhook-endpoints", { params: { query: page }, signal }),
  );
