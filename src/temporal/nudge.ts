import { type Client, type SignalDefinition, WorkflowNotFoundError } from "@temporalio/client";
import * as messages from "../workflows/messages.ts";

export interface Nudge<Extra extends object> {
  readonly clock: messages.ClockReading | null;
  readonly signal: SignalDefinition<[Extra & messages.Told]>;
  /** Names the message for good: sent again it is the same one. */
  readonly cause: string;
  readonly extra?: Extra;
}

/**
 * Tells a run something; one that has ended needs no telling. On a test clock, time must not pass between a message and what it
 * brings about: it is announced first.
 */
export async function nudge<Extra extends object>(
  client: Client,
  workflowId: string,
  { clock, signal, cause, extra }: Nudge<Extra>,
): Promise<void> {
  const token = `told:${workflowId}:${cause}`;
  if (clock !== null) await expectSettling(client, clock.clockId, { token });
  try {
    const handle = client.workflow.getHandle(workflowId);
    await handle.signal(signal, {
      ...(extra as Extra),
      ...(clock === null ? {} : { token, at: clock.now }),
    });
  } catch (error) {
    // Of any other error nobody knows whether the message arrived: it is sent again, with the same token.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    if (clock !== null) await settle(client, clock.clockId, workflowId, token);
  }
}

/** Says to a test clock that something is under way: it stands still until that has settled. */
export async function expectSettling(
  client: Client,
  clockId: string,
  expected: messages.Expected,
): Promise<void> {
  const clock = client.workflow.getHandle(messages.workflowIds.testClock(clockId));
  await clock.signal(messages.expectSettling, expected);
}

/** Nobody is left to settle this: the run it was meant for has ended. */
export async function settle(
  client: Client,
  clockId: string,
  workflowId: string,
  token: string,
): Promise<void> {
  const clock = client.workflow.getHandle(messages.workflowIds.testClock(clockId));
  await clock.signal(messages.clockWaiting, { workflowId, wakeAt: null, settles: [token] });
}
