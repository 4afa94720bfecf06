/** What operators say to any run. */
import { defineUpdate } from "@temporalio/workflow";

/** What becomes of a parked step: it is tried again, or the run goes on without it, where its code says how. */
export interface StepResolution {
  readonly how: "retry" | "skip";
}

/** Answers which step it was. Refused when nothing is parked, or when the run cannot go on without the step. */
export const resolveStep = defineUpdate<{ readonly step: string }, [StepResolution]>("resolveStep");
