import { operationCommands } from "../../../src/api/commands/operation-commands.ts";
import type { ApiDependencies } from "../../../src/api/dependencies.ts";
import { TemporalOperators } from "../../../src/temporal/operators.ts";
import { TemporalQueues } from "../../../src/temporal/queues.ts";
import type { Scene } from "../../workflows/support/scene.ts";
import { type RunningApi, startApi, wallClock } from "./running-api.ts";

/** An API whose operators act on the runs of a scene. */
export async function startOperatingApi({ client, taskQueue }: Scene): Promise<RunningApi> {
  const operators = new TemporalOperators(client, taskQueue);
  const queues = new TemporalQueues(client, taskQueue);
  let real: ApiDependencies["operations"] | undefined;
  // The database is there only when the API is.
  const operations = new Proxy({} as ApiDependencies["operations"], {
    get: (_target, name: keyof ApiDependencies["operations"]) => real?.[name],
  });
  const api = await startApi({ operations });
  real = operationCommands({ db: api.db, now: () => wallClock, operators, queues });
  return api;
}
