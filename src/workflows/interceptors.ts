import {
  AsyncLocalStorage,
  defaultPayloadConverter,
  type Headers,
  type WorkflowInterceptorsFactory,
} from "@temporalio/workflow";
import { correlationHeader } from "./messages.ts";

/**
 * Carries the id of the request that all of this follows from: what a handler does goes under the id of its message,
 * everything else under the id that the run was started with, also in its continuations. Bundled with the workflows.
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  const handling = new AsyncLocalStorage<string | undefined>();
  let startedUnder: string | undefined;

  const idIn = (headers: Headers): string | undefined => {
    const payload = headers[correlationHeader];
    return payload === undefined ? undefined : defaultPayloadConverter.fromPayload<string>(payload);
  };
  const current = () => handling.getStore() ?? startedUnder;
  const carrying = <Input extends { readonly headers: Headers }>(input: Input): Input => {
    const id = current();
    if (id === undefined) return input;
    return {
      ...input,
      headers: { ...input.headers, [correlationHeader]: defaultPayloadConverter.toPayload(id) },
    };
  };

  return {
    inbound: [
      {
        execute(input, next) {
          startedUnder = idIn(input.headers);
          return next(input);
        },
        handleSignal: (input, next) => handling.run(idIn(input.headers), () => next(input)),
        handleUpdate: (input, next) => handling.run(idIn(input.headers), () => next(input)),
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(carrying(input)),
        scheduleLocalActivity: (input, next) => next(carrying(input)),
        startChildWorkflowExecution: (input, next) => next(carrying(input)),
        signalWorkflow: (input, next) => next(carrying(input)),
        continueAsNew: (input, next) => next(carrying(input)),
        getLogAttributes: (input, next) => ({ ...next(input), correlation_id: current() }),
      },
    ],
  };
};
