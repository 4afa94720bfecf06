import type { Client } from "@temporalio/client";
import type { ClockReading } from "../workflows/messages.ts";
import { expectSettling, settle } from "./nudge.ts";
import { hasRun } from "./start-once.ts";
import { refusalOf, WorkflowRefusal } from "./workflow-refusal.ts";

/** Less than an HTTP client's patience, so that it hears why. The update itself goes on, and its answer is kept. */
const answerMsMax = 20_000;

/** Longer than whoever announces a start takes to make it: a test clock waits no longer for a run that is not there. */
const startsWithinSeconds = 30;

/** Waits for an update's answer as long as a caller of ours waits. */
export async function answered<T>(client: Client, update: () => Promise<T>): Promise<T> {
  try {
    return await client.withDeadline(Date.now() + answerMsMax, update);
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
}

/** Has a run started by an update; a test clock stands still until it has settled. */
export async function announcedStart<T>(
  client: Client,
  { workflowId, clock }: { readonly workflowId: string; readonly clock: ClockReading | null },
  startWithUpdate: () => Promise<T>,
): Promise<T> {
  const isNews = clock !== null && !(await hasRun(client, workflowId));
  if (!isNews) return await answered(client, startWithUpdate);
  const token = `start:${workflowId}`;
  await expectSettling(client, clock.clockId, { token, startsWithinSeconds });
  try {
    return await answered(client, startWithUpdate);
  } catch (error) {
    // The run is there, waits for a request that it can meet, and has nothing to settle.
    if (error instanceof WorkflowRefusal) await settle(client, clock.clockId, workflowId, token);
    throw error;
  }
}
