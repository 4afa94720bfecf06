import type { Client } from "@temporalio/client";
import { type ReplayWorkerOptions, Worker } from "@temporalio/worker";

/** A run that this code could not go on with, and why. */
export interface StrandedRun {
  readonly workflowId: string;
  readonly reason: string;
}

/**
 * Replays open runs with this code, at most so many of each workflow, the newest first: whether a build that is about to be
 * rolled out can go on with what is under way. Nothing is changed.
 * @param code a bundle or the sources of the workflows, and how payloads are read
 */
export async function replayRunning(
  client: Client,
  code: ReplayWorkerOptions,
  { types, perType }: { readonly types: readonly string[]; readonly perType: number },
): Promise<{ readonly replayed: number; readonly stranded: readonly StrandedRun[] }> {
  const stranded: StrandedRun[] = [];
  let replayed = 0;
  for await (const { workflowId, error } of Worker.runReplayHistories(
    code,
    openRuns(client, types, perType),
  )) {
    replayed += 1;
    if (error !== undefined) stranded.push({ workflowId, reason: error.message });
  }
  return { replayed, stranded };
}

async function* openRuns(client: Client, types: readonly string[], perType: number) {
  for (const type of types) {
    const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Running'`;
    let taken = 0;
    for await (const { workflowId, runId } of client.workflow.list({ query, pageSize: perType })) {
      yield { workflowId, history: await client.workflow.getHandle(workflowId, runId).fetchHistory() };
      taken += 1;
      if (taken === perType) break;
    }
  }
}
