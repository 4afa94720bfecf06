import type { Database } from "../../db/database.ts";
import {
  findOperation,
  insertOperation,
  insertOutcome,
  type OperationTarget,
  type StoredOperation,
  targetsOf,
} from "../../db/operations.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import {
  OperationRefusedError,
  type OperatorSignal,
  type RunAction,
  type TemporalOperators,
} from "../../temporal/operators.ts";
import { type QueueRole, queueRoles, type TemporalQueues } from "../../temporal/queues.ts";
import type { RunSummary } from "../../temporal/runs.ts";
import type { OperationCommands, OperationPlan, OperationRequest } from "../operation-dependencies.ts";
import { found } from "../refusals.ts";

/** More than these are several operations, each with its own reason. */
const targetsMax = 10_000;
/** How many targets one request works at, and how many of them at once; the rest goes on with the next request. */
const targetsAtATime = 100;
const targetsAtOnce = 5;
const pageLength = 500;

export interface OperationParts {
  readonly db: Database;
  /** The wall clock. */
  readonly now: () => Instant;
  readonly operators: TemporalOperators;
  readonly queues: TemporalQueues;
}

/** What operators do to runs and queues: settled and written down first, then done to one target after the other. */
export function operationCommands({ db, now, operators, queues }: OperationParts): OperationCommands {
  const plan = (request: Omit<OperationRequest, "id">) => planOf(request, operators, queues);
  return {
    listRuns: (query, page) => operators.list(query, page),
    countRuns: (query) => operators.count(query),
    readRun: (workflowId) => operators.read(workflowId),
    queues: () => Promise.all(queueRoles.map((role) => queues.standing(role))),
    plan,

    async open({ id, action, signal, subject, reason }, { actor }) {
      if ((await findOperation(db.orm, id)) !== undefined) return;
      const targets = targetsIn(await plan({ action, signal, subject, reason }));
      if (targets.length === 0) {
        throw new OperationRefusedError(
          "operation_without_target",
          "there is nothing now that it could be done to",
        );
      }
      const query = "query" in subject ? subject.query : null;
      const asked = { requestedBy: actor, requestedAt: now() };
      await insertOperation(db, { id, action, signal, query, reason, ...asked }, targets);
    },

    async work(operationId) {
      const operation = found(await findOperation(db.orm, operationId), "operation", operationId);
      const left = await targetsOf(db.orm, operationId, { limit: targetsAtATime, outcome: "pending" });
      for (let from = 0; from < left.length; from += targetsAtOnce) {
        await Promise.all(
          left.slice(from, from + targetsAtOnce).map(async (target) => {
            const outcome = await outcomeOf(operation, target);
            await insertOutcome(db.orm, { operationId, position: target.position, ...outcome });
          }),
        );
      }
    },
  };

  /** @throws whatever keeps Temporal from being reached: then nothing is known of the target, and it stays to be done */
  async function outcomeOf(operation: StoredOperation, { target, runId }: OperationTarget) {
    const { id, action, reason } = operation;
    try {
      if (action === "pause_queue" || action === "unpause_queue") {
        await queues.set(target as QueueRole, action === "pause_queue", reason);
      } else {
        const key = `operation/${id}/${target}`;
        const signal = operation.signal as OperatorSignal | null;
        await operators.act({ workflowId: target, runId: runId ?? "" }, { action, signal, reason, key });
      }
      return { outcome: "done" as const };
    } catch (error) {
      if (!(error instanceof OperationRefusedError)) throw error;
      return { outcome: "refused" as const, code: error.code, detail: error.message };
    }
  }
}

function targetsIn({ runs, queue }: OperationPlan): OperationTarget[] {
  const named = runs.map(({ workflowId, runId }) => ({ target: workflowId, runId }));
  return queue === null ? named : [{ target: queue.role, runId: null }];
}

async function planOf(
  { action, subject }: Omit<OperationRequest, "id">,
  operators: TemporalOperators,
  queues: TemporalQueues,
): Promise<OperationPlan> {
  if ("queue" in subject) return { runs: [], queue: await queues.standing(subject.queue) };
  if ("runs" in subject) {
    const ids = [...new Set(subject.runs)];
    const read = await Promise.all(ids.map((id) => operators.find(id)));
    return { runs: ids.map((id, place) => found(read[place], "run", id)), queue: null };
  }
  return { runs: await runsFor(action as RunAction, subject.query, operators), queue: null };
}

/** The running ones among those that the query finds; of parked steps only those that have one. */
async function runsFor(
  action: RunAction,
  query: string,
  operators: TemporalOperators,
): Promise<readonly RunSummary[]> {
  const condition = action === "retry" || action === "skip" ? " AND NeedsAttention = true" : "";
  const runs: RunSummary[] = [];
  let token: string | undefined;
  do {
    const page = { limit: pageLength, ...(token === undefined ? {} : { token }) };
    const answer = await operators.list(`(${query}) AND ExecutionStatus = 'Running'${condition}`, page);
    runs.push(...answer.runs);
    token = answer.token;
    if (runs.length > targetsMax) {
      const message = `it would be done to more than ${targetsMax} runs: narrow the query, and do it in parts`;
      throw new OperationRefusedError("operation_too_large", message);
    }
  } while (token !== undefined);
  // What ended while the pages were read moves the others: each run once.
  return [...new Map(runs.map((run) => [run.workflowId, run])).values()];
}
