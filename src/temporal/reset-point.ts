import type { Client } from "@temporalio/client";

type History = Awaited<ReturnType<ReturnType<Client["workflow"]["getHandle"]>["fetchHistory"]>>;
type EventId = NonNullable<NonNullable<History["events"]>[number]["eventId"]>;

/**
 * The workflow task to which a run is reset so that its last step is done again: the one that asked for it. A step is an
 * activity or another run. Undefined when the run never asked for anything, or when what it asked for is under way.
 */
export function resetPointIn({ events }: History): EventId | undefined {
  const asked = (events ?? []).findLast(
    (event) =>
      event.activityTaskScheduledEventAttributes ?? event.startChildWorkflowExecutionInitiatedEventAttributes,
  );
  const by =
    asked?.activityTaskScheduledEventAttributes ?? asked?.startChildWorkflowExecutionInitiatedEventAttributes;
  return by?.workflowTaskCompletedEventId ?? undefined;
}
