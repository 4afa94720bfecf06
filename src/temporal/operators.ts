import { createHash } from "node:crypto";
import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import { BillingError } from "../domain/errors.ts";
import * as messages from "../workflows/messages.ts";
import { resetPointIn } from "./reset-point.ts";
import { type RunDetails, type RunPage, type RunSummary, readRun, runOf } from "./runs.ts";

/** Why an operation was not done to a run: it is not in a state for it. */
export class OperationRefusedError extends BillingError {
  readonly code: string;

  constructor(code: string, message: string, field?: string) {
    super(message, field);
    this.code = code;
  }
}

/** What operators do to one run. */
export const runActions = ["retry", "skip", "reset", "cancel", "signal"] as const;
export type RunAction = (typeof runActions)[number];

/** What operators may tell a run: facts that it reads again by itself, so that telling them twice harms nothing. */
export const operatorSignals = { invoiceChanged: {}, paymentMethodUpdated: {} } as const;
export type OperatorSignal = keyof typeof operatorSignals;

export interface RunOperation {
  readonly action: RunAction;
  readonly signal: OperatorSignal | null;
  readonly reason: string;
  /** Names this operation on this run for good: sent twice, it is done once. */
  readonly key: string;
}

/** Less than an HTTP client's patience. */
const answerMsMax = 10_000;
/** These two stand for something that exists as long as they do; it is ended through the API. */
const neverCanceled = ["subscription", "testClock"];

const digestBytes = 12;
const digestOf = (token: Uint8Array, query: string): Buffer =>
  createHash("sha256").update(query).update("\0").update(token).digest().subarray(0, digestBytes);

/** The server takes a token for what it is, and answers to any other as if it were broken itself: so ours are told apart here. */
const cursorOf = (token: Uint8Array, query: string): string =>
  Buffer.concat([digestOf(token, query), token]).toString("base64url");

function tokenIn(cursor: string, query: string): Uint8Array {
  const bytes = Buffer.from(cursor, "base64url");
  const token = bytes.subarray(digestBytes);
  if (token.length > 0 && digestOf(token, query).equals(bytes.subarray(0, digestBytes))) return token;
  const message = "is not a cursor of this list: pass next_cursor of the page before as it is";
  throw new OperationRefusedError("cursor_invalid", message, "cursor");
}

/** How operators look at runs and act on them, whatever these are about. */
export class TemporalOperators {
  readonly #client: Client;
  readonly #taskQueue: string;

  constructor(client: Client, taskQueue: string) {
    this.#client = client;
    this.#taskQueue = taskQueue;
  }

  /**
   * The runs that a visibility query finds, the newest first, a little behind what happens.
   * @throws OperationRefusedError when the query cannot be read, or the token is not one of this query's
   */
  async list(query: string, page: { readonly limit: number; readonly token?: string }): Promise<RunPage> {
    const { workflowService, options } = this.#client;
    const nextPageToken = page.token === undefined ? new Uint8Array() : tokenIn(page.token, query);
    try {
      const { executions, nextPageToken: next } = await workflowService.listWorkflowExecutions({
        namespace: options.namespace,
        pageSize: page.limit,
        query: this.#ours(query),
        nextPageToken,
      });
      const token =
        next === null || next === undefined || next.length === 0 ? undefined : cursorOf(next, query);
      return { runs: (executions ?? []).map(runOf), token };
    } catch (error) {
      const { code, details } = error as { code?: unknown; details?: string };
      // INVALID_ARGUMENT: the only part of the request that a caller writes is the query.
      if (code === 3) throw new OperationRefusedError("run_query_invalid", details ?? "the query is wrong");
      throw error;
    }
  }

  /** How many runs a query finds. */
  async count(query: string): Promise<number> {
    return (await this.#client.workflow.count(this.#ours(query))).count;
  }

  /** The newest run under an id; undefined when there is none. */
  async find(workflowId: string): Promise<RunSummary | undefined> {
    try {
      const { raw } = await this.#client.workflow.getHandle(workflowId).describe();
      return runOf(raw.workflowExecutionInfo ?? {});
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  /** Everything that the server and, when one is there, a worker knows of a run; undefined when there is none. */
  async read(workflowId: string): Promise<RunDetails | undefined> {
    try {
      return await readRun(this.#client, workflowId);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  /** @throws OperationRefusedError when the run is not in a state for it: nothing was done */
  async act({ workflowId, runId }: Pick<RunSummary, "workflowId" | "runId">, operation: RunOperation) {
    const handle = this.#client.workflow.getHandle(workflowId, runId);
    try {
      const { type, status, typedSearchAttributes } = await handle.describe();
      if (status.name !== "RUNNING") throw ended();
      if (operation.action === "cancel" && neverCanceled.includes(type)) {
        const message = `a ${type} run stands for what it is about: end that through the API`;
        throw new OperationRefusedError("run_not_cancelable", message);
      }
      const isParked = typedSearchAttributes
        .getAll()
        .some(({ key, value }) => key.name === "NeedsAttention" && value === true);
      if (operation.action === "retry" || operation.action === "skip") {
        if (!isParked) throw new OperationRefusedError("step_not_parked", "no step of this run is parked");
        await this.#resolve(workflowId, runId, operation.action, operation.key);
      } else if (operation.action === "cancel") await handle.cancel();
      else if (operation.action === "reset") await this.#reset(workflowId, runId, operation);
      else await handle.signal(operation.signal ?? "invoiceChanged", {});
    } catch (error) {
      throw error instanceof WorkflowNotFoundError ? ended() : error;
    }
  }

  async #resolve(workflowId: string, runId: string, how: "retry" | "skip", updateId: string): Promise<void> {
    const handle = this.#client.workflow.getHandle(workflowId, runId);
    try {
      await this.#client.withDeadline(Date.now() + answerMsMax, () =>
        handle.executeUpdate(messages.resolveStep, { updateId, args: [{ how }] }),
      );
    } catch (error) {
      const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
      if (cause instanceof ApplicationFailure && cause.type)
        throw new OperationRefusedError(cause.type, cause.message);
      throw error;
    }
  }

  /** To before the last thing that the run asked for, which it then asks for again, under the same keys. */
  async #reset(workflowId: string, runId: string, { reason, key }: RunOperation): Promise<void> {
    const history = await this.#client.workflow.getHandle(workflowId, runId).fetchHistory();
    const point = resetPointIn(history);
    if (point === undefined)
      throw new OperationRefusedError("run_not_resettable", "the run has not done anything yet");
    await this.#client.workflowService.resetWorkflowExecution({
      namespace: this.#client.options.namespace,
      workflowExecution: { workflowId, runId },
      reason,
      workflowTaskFinishEventId: point,
      requestId: key,
    });
  }

  /** Deployments can share a namespace. */
  #ours(query: string): string {
    const own = `TaskQueue = '${this.#taskQueue}'`;
    return query.trim() === "" ? own : `${own} AND (${query})`;
  }
}

const ended = () => new OperationRefusedError("run_ended", "the run has ended, or there was none");
