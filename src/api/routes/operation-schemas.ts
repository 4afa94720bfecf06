import { z } from "zod";
import { operationActions, type StoredOperation, type TargetStanding } from "../../db/operations.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { type OperatorSignal, operatorSignals } from "../../temporal/operators.ts";
import { type QueueStanding, queueRoles } from "../../temporal/queues.ts";
import type { RunDetails, RunSummary } from "../../temporal/runs.ts";
import { instantText } from "../wire.ts";

const signalNames = Object.keys(operatorSignals) as [OperatorSignal, ...OperatorSignal[]];

export const workflowIdInput = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[A-Za-z0-9_.:/-]+$/, {
    error: "must be the id of a run, such as cycle/sub_1/2026-01-31T00:00:00.000Z",
  });
export const runQueryInput = z
  .string()
  .trim()
  .min(1)
  .max(2_000)
  .describe('A query of Temporal\'s, such as `CustomerId = "acme" AND NeedsAttention = true`.');
export const actionInput = z.enum(operationActions);
export const signalInput = z
  .enum(signalNames)
  .describe("What runs are told; they then read by themselves what is so.");
export const queueInput = z.enum(queueRoles);

const runFields = {
  workflow_id: z.string(),
  run_id: z.string(),
  type: z.string().describe("The workflow, such as `billingCycle`."),
  status: z.string(),
  started_at: instantText,
  ended_at: instantText.nullable(),
  needs_attention: z.boolean().describe("A step is parked: an operator decides how it goes on."),
  error_class: z.string().nullable().describe("Of the parked step's failure."),
  attributes: z.record(z.string(), z.unknown()).describe("Ids, states and instants, by search attribute."),
};
export const runSchema = z.object(runFields).meta({ id: "Run" });

export const runDetailsSchema = z
  .object({
    ...runFields,
    summary: z.string().nullable(),
    details: z
      .string()
      .nullable()
      .describe("In markdown, what it waits for; null when no worker was there to say it."),
    pending_steps: z.array(
      z.object({
        activity: z.string(),
        attempt: z.number().int(),
        next_attempt_at: instantText.nullable(),
        last_error_class: z.string().nullable(),
      }),
    ),
    task_attempts: z
      .number()
      .int()
      .describe("How often its code was tried in vain: more than a few, and it is stuck."),
    history_events: z.number().int(),
  })
  .meta({ id: "RunDetails" });

export const queueSchema = z
  .object({
    queue: queueInput,
    name: z.string().describe("As Temporal knows it."),
    paused: z.boolean(),
    reason: z.string().nullable(),
    waiting: z.number().int().describe("About how many activities wait."),
    oldest_waits_seconds: z.number().int(),
  })
  .meta({ id: "Queue" });

const operationFields = {
  id: z.string(),
  action: actionInput,
  signal: z.string().nullable(),
  query: z.string().nullable(),
  reason: z.string(),
  requested_by: z.string(),
  requested_at: instantText,
  targets: z.number().int(),
  done: z.number().int(),
  refused: z.number().int(),
  pending: z.number().int().describe("Still to be done: continue the operation."),
};
export const operationSchema = z.object(operationFields).meta({ id: "Operation" });

export const operationDetailsSchema = z
  .object({
    ...operationFields,
    outcomes: z
      .array(
        z.object({
          target: z.string(),
          run_id: z.string().nullable(),
          outcome: z.enum(["done", "refused"]).nullable().describe("Null: still to be done."),
          code: z.string().nullable().describe("Why it was refused."),
          detail: z.string().nullable(),
        }),
      )
      .describe("The first 1,000 of its targets."),
  })
  .meta({ id: "OperationDetails" });

export const planSchema = z
  .object({
    targets: z.number().int().describe("To how much it would be done."),
    runs: z.array(runSchema).describe("The first 100 of them."),
    queue: queueSchema.nullable(),
  })
  .meta({ id: "OperationPlan" });

export function runAnswer(run: RunSummary): z.infer<typeof runSchema> {
  const { NeedsAttention, ErrorClass } = run.attributes;
  return {
    workflow_id: run.workflowId,
    run_id: run.runId,
    type: run.type,
    status: run.status,
    started_at: run.startedAt,
    ended_at: run.endedAt,
    needs_attention: NeedsAttention === true,
    error_class: typeof ErrorClass === "string" ? ErrorClass : null,
    attributes: run.attributes,
  };
}

export function runDetailsAnswer(run: RunDetails): z.infer<typeof runDetailsSchema> {
  return {
    ...runAnswer(run),
    summary: run.summary,
    details: run.details,
    pending_steps: run.pendingSteps.map((step) => ({
      activity: step.activity,
      attempt: step.attempt,
      next_attempt_at: step.nextAttemptAt,
      last_error_class: step.lastErrorClass,
    })),
    task_attempts: run.taskAttempts,
    history_events: run.historyEvents,
  };
}

export function queueAnswer(queue: QueueStanding): z.infer<typeof queueSchema> {
  const { role, name, isPaused, reason, waiting, oldestWaitsSeconds } = queue;
  return { queue: role, name, paused: isPaused, reason, waiting, oldest_waits_seconds: oldestWaitsSeconds };
}

export function operationAnswer(stored: StoredOperation): z.infer<typeof operationSchema> {
  const { requestedBy, requestedAt, ...rest } = stored;
  return { ...rest, requested_by: requestedBy, requested_at: isoOf(requestedAt) };
}

export function operationDetailsAnswer(
  stored: StoredOperation,
  targets: readonly TargetStanding[],
): z.infer<typeof operationDetailsSchema> {
  const outcomes = targets.map(({ target, runId, outcome, code, detail }) => ({
    target,
    run_id: runId,
    outcome,
    code,
    detail,
  }));
  return { ...operationAnswer(stored), outcomes };
}
