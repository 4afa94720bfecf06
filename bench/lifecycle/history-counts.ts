import type { temporal } from "@temporalio/proto";

/** What a run, or a share of it, is in its history. */
export interface HistoryCounts {
  readonly events: number;
  readonly workflowTasks: number;
  /** Activities that went through a task queue. */
  readonly activities: number;
  readonly timers: number;
  /** Runs that were begun, continuations among them. */
  readonly runs: number;
  /** What Temporal Cloud bills: starts, timers, activities and tasks with local ones, signals, updates, upserts. */
  readonly actions: number;
}

type Events = readonly temporal.api.history.v1.IHistoryEvent[];

/** Counts what happened in a stretch of a run's history. */
export function countsOf(events: Events): HistoryCounts {
  const having = (name: keyof temporal.api.history.v1.IHistoryEvent) =>
    events.filter((event) => event[name] != null).length;
  const runs = having("workflowExecutionStartedEventAttributes");
  const timers = having("timerStartedEventAttributes");
  const activities = having("activityTaskScheduledEventAttributes");
  const tasksWithLocalOnes = new Set(
    events
      .flatMap(({ markerRecordedEventAttributes: marker }) => marker?.workflowTaskCompletedEventId ?? [])
      .map(String),
  ).size;
  const told = having("workflowExecutionSignaledEventAttributes");
  const asked = having("workflowExecutionUpdateAcceptedEventAttributes");
  const upserts = having("upsertWorkflowSearchAttributesEventAttributes");
  return {
    events: events.length,
    workflowTasks: having("workflowTaskCompletedEventAttributes"),
    activities,
    timers,
    runs,
    actions: runs + timers + activities + tasksWithLocalOnes + told + asked + upserts,
  };
}

export function sumOf(counts: readonly HistoryCounts[]): HistoryCounts {
  const sum = (name: keyof HistoryCounts) => counts.reduce((total, each) => total + each[name], 0);
  return {
    ...{ events: sum("events"), workflowTasks: sum("workflowTasks"), activities: sum("activities") },
    ...{ timers: sum("timers"), runs: sum("runs"), actions: sum("actions") },
  };
}
