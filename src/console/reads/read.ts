import { createReckonerClient, ReckonerApiError, type ReckonerClient } from "../../sdk/index.ts";
import { currentKey, signOut } from "../session/session.ts";

/** No answer came, whoever is to blame: the network, or an API that is not running. */
export class UnreachableError extends Error {
  constructor(cause: unknown) {
    super("No answer came. Is the API running, and are you connected?", { cause });
    this.name = "UnreachableError";
  }
}

/** Tries are few: someone is looking at the screen. */
const attemptsMax = 3;

/**
 * Asks the API that serves the console, with the key in use. A key that the API does not take ends the session.
 * @throws ReckonerApiError for a refusal, UnreachableError when nothing came back
 */
export async function read<Answer>(
  signal: AbortSignal,
  ask: (reckoner: ReckonerClient) => Promise<Answer>,
): Promise<Answer> {
  const apiKey = currentKey() ?? "";
  try {
    return await ask(createReckonerClient({ baseUrl: location.origin, apiKey, attemptsMax }));
  } catch (error) {
    if (signal.aborted) throw error;
    if (!(error instanceof ReckonerApiError)) throw new UnreachableError(error);
    if (error.status === 401 && apiKey === currentKey()) signOut(error.message);
    throw error;
  }
}
