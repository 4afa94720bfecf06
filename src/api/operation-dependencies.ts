import type { OperationAction } from "../db/operations.ts";
import type { OperatorSignal } from "../temporal/operators.ts";
import type { QueueRole, QueueStanding } from "../temporal/queues.ts";
import type { RunDetails, RunPage, RunSummary } from "../temporal/runs.ts";
import type { CommandContext } from "./dependencies.ts";

/** What it is to be done to: named runs, the running ones that a query finds, or a queue. */
export type OperationSubject =
  | { readonly runs: readonly string[] }
  | { readonly query: string }
  | { readonly queue: QueueRole };

export interface OperationRequest {
  /** Made from the request, so the same request is the same operation. */
  readonly id: string;
  readonly action: OperationAction;
  readonly signal: OperatorSignal | null;
  readonly subject: OperationSubject;
  readonly reason: string;
}

/** What an operation would be done to now. */
export interface OperationPlan {
  readonly runs: readonly RunSummary[];
  readonly queue: QueueStanding | null;
}

/** How operators look at runs and queues, and act on them; everything they do is written down first. */
export interface OperationCommands {
  listRuns(query: string, page: { readonly limit: number; readonly token?: string }): Promise<RunPage>;
  countRuns(query: string): Promise<number>;
  readRun(workflowId: string): Promise<RunDetails | undefined>;
  queues(): Promise<readonly QueueStanding[]>;
  /**
   * Finds what it would be done to, and does nothing.
   * @throws OperationRefusedError when that is more than one operation may be about, or when the query cannot be read
   */
  plan(request: Omit<OperationRequest, "id">): Promise<OperationPlan>;
  /** Writes down what it is done to; `work` does it. */
  open(request: OperationRequest, context: CommandContext): Promise<void>;
  /** Does it to some of the targets that are left, in their order. What cannot be reached stays for the next time. */
  work(operationId: string, context: CommandContext): Promise<void>;
}
