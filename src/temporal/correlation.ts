import { AsyncLocalStorage } from "node:async_hooks";
import type { WorkflowClientInterceptor } from "@temporalio/client";
import { defaultPayloadConverter, type Headers } from "@temporalio/common";
import { correlationHeader } from "../workflows/messages.ts";

/**
 * One id goes with everything that follows from one request: from the API (or Stripe's event) by the client's
 * interceptor to the workflow, by the workflow's interceptor to its activities and to other workflows, and from an
 * activity to the workflows that it tells something. Logs are found together by it; nothing is decided by it.
 */
const ids = new AsyncLocalStorage<string | undefined>();

/** Does something under an id: what is sent to workflows meanwhile carries it. */
export function withCorrelationId<T>(id: string | undefined, work: () => T): T {
  return ids.run(id, work);
}

/** The id under which this code runs; undefined when nobody gave one. */
export const correlationId = (): string | undefined => ids.getStore();

/** The id in a header that came with a call. */
export function correlationIdIn(headers: Headers): string | undefined {
  const payload = headers[correlationHeader];
  return payload === undefined ? undefined : defaultPayloadConverter.fromPayload<string>(payload);
}

/** Sends the current id with every start, signal and update. */
export const correlationOfCalls: WorkflowClientInterceptor = {
  startWithDetails: (input, next) => next({ ...input, headers: carrying(input.headers) }),
  signal: (input, next) => next({ ...input, headers: carrying(input.headers) }),
  signalWithStart: (input, next) => next({ ...input, headers: carrying(input.headers) }),
  startUpdate: (input, next) => next({ ...input, headers: carrying(input.headers) }),
  startUpdateWithStart: (input, next) =>
    next({
      ...input,
      workflowStartHeaders: carrying(input.workflowStartHeaders),
      updateHeaders: carrying(input.updateHeaders),
    }),
};

function carrying(headers: Headers): Headers {
  const id = correlationId();
  if (id === undefined) return headers;
  return { ...headers, [correlationHeader]: defaultPayloadConverter.toPayload(id) };
}
