import type { Client } from "@temporalio/client";

/** A run as a list shows it. */
export interface RunSummary {
  readonly workflowId: string;
  readonly runId: string;
  readonly type: string;
  /** In lower case, for example `running`. */
  readonly status: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** By search attribute: ids, states and instants. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface RunPage {
  readonly runs: readonly RunSummary[];
  /** Of the next page; undefined on the last one. */
  readonly token: string | undefined;
}

/** What a run waits for that somebody else must do. */
export interface PendingStep {
  readonly activity: string;
  readonly attempt: number;
  /** When it is tried next; null while it is being tried. */
  readonly nextAttemptAt: string | null;
  /** Why it failed last: the class of the error. Its message is in the run's history, encrypted as that is. */
  readonly lastErrorClass: string | null;
}

export interface RunDetails extends RunSummary {
  readonly summary: string | null;
  /** In markdown, what it waits for and what can be done; null when no worker was there to say it. */
  readonly details: string | null;
  readonly pendingSteps: readonly PendingStep[];
  /** How often the task of its code was tried in vain; more than a few means that the code cannot go on. */
  readonly taskAttempts: number;
  readonly historyEvents: number;
}

type Listed = NonNullable<
  Awaited<ReturnType<Client["workflowService"]["listWorkflowExecutions"]>>["executions"]
>[number];

/** By the numbers of the protocol. */
const statuses = [
  "unspecified",
  "running",
  "completed",
  "failed",
  "canceled",
  "terminated",
  "continued_as_new",
  "timed_out",
  "paused",
];

export function runOf({
  execution,
  type,
  status,
  startTime,
  closeTime,
  searchAttributes,
}: Listed): RunSummary {
  return {
    workflowId: execution?.workflowId ?? "",
    runId: execution?.runId ?? "",
    type: type?.name ?? "",
    status: statuses[status ?? 0] ?? "unspecified",
    startedAt: isoOfTimestamp(startTime) ?? "",
    endedAt: isoOfTimestamp(closeTime),
    attributes: attributesOf(searchAttributes?.indexedFields),
  };
}

/** @throws WorkflowNotFoundError when there is no such run */
export async function readRun(client: Client, workflowId: string): Promise<RunDetails> {
  const description = await client.workflow.getHandle(workflowId).describe();
  const { raw, runId, historyLength } = description;
  return {
    ...runOf(raw.workflowExecutionInfo ?? {}),
    summary: (await description.staticSummary()) ?? null,
    details: await detailsOf(client, workflowId, runId),
    pendingSteps: (raw.pendingActivities ?? []).map((pending) => ({
      activity: pending.activityType?.name ?? "",
      attempt: pending.attempt ?? 1,
      nextAttemptAt: isoOfTimestamp(pending.nextAttemptScheduleTime),
      lastErrorClass: pending.lastFailure?.applicationFailureInfo?.type ?? null,
    })),
    taskAttempts: raw.pendingWorkflowTask?.attempt ?? 0,
    historyEvents: historyLength,
  };
}

const detailsMsMax = 5_000;

/** The run's code says it, so a worker must be there. */
async function detailsOf(client: Client, workflowId: string, runId: string): Promise<string | null> {
  try {
    const { currentDetails } = await client.withDeadline(Date.now() + detailsMsMax, () =>
      client.workflow
        .getHandle(workflowId, runId)
        .query<{ currentDetails?: string }>("__temporal_workflow_metadata"),
    );
    return currentDetails ?? null;
  } catch {
    return null;
  }
}

/** Search attributes are never encrypted: each is JSON. */
function attributesOf(
  fields: Listed["searchAttributes"] extends infer _
    ? Record<string, { data?: Uint8Array | null }> | null | undefined
    : never,
) {
  const known = Object.entries(fields ?? {}).filter(
    ([name]) => !name.startsWith("Temporal") && name !== "BuildIds",
  );
  return Object.fromEntries(
    known.map(([name, { data }]) => [name, JSON.parse(Buffer.from(data ?? []).toString() || "null")]),
  );
}

function isoOfTimestamp(
  timestamp: { seconds?: unknown; nanos?: number | null } | null | undefined,
): string | null {
  if (!timestamp) return null;
  return new Date(Number(timestamp.seconds ?? 0) * 1_000 + (timestamp.nanos ?? 0) / 1e6).toISOString();
}
