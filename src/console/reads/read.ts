import { createReckonerClient, ReckonerApiError, type ReckonerClient } from "../../sdk/index.ts";
import { credentialsOf, currentKey, signOut } from "../session/session.ts";

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
  try {
    return await askWith(currentKey() ?? "", ask);
  } catch (error) {
    if (signal.aborted && error instanceof UnreachableError) throw error.cause;
    throw error;
  }
}

/**
 * Asks the API with a key, which may be another one than the session's. The session ends only when its own key is not taken.
 * @throws ReckonerApiError for a refusal, UnreachableError when nothing came back
 */
export async function askWith<Answer>(
  apiKey: string,
  ask: (reckoner: ReckonerClient) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask(
      createReckonerClient({ baseUrl: location.origin, ...credentialsOf(apiKey), attemptsMax }),
    );
  } catch (error) {
    if (!(error instanceof ReckonerApiError)) throw new UnreachableError(error);
    if (error.status === 401 && apiKey === currentKey()) signOut(error.message);
    throw error;
  }
}
