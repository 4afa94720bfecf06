import { ConfigurationError, loadClientConfig } from "../../config.ts";
import { createReckonerClient, ReckonerApiError, type ReckonerClient } from "../../sdk/index.ts";
import { CommandFailed, exitCodes } from "./exit-code.ts";
import { faultText, type SourceFile } from "./source-file.ts";

/**
 * Asks the API of RECKONER_API_URL with the key RECKONER_API_KEY, or that of the system which runs here. What it refuses is
 * said at its place in the file that the question came from.
 * @throws CommandFailed
 */
export async function ask<Answer>(
  question: (reckoner: ReckonerClient) => Promise<Answer>,
  source?: SourceFile,
): Promise<Answer> {
  const { apiUrl, apiKey } = clientConfig();
  try {
    return await question(createReckonerClient({ baseUrl: apiUrl, apiKey }));
  } catch (error) {
    if (!(error instanceof ReckonerApiError)) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CommandFailed(`the API at ${apiUrl} cannot be reached: ${reason}`, exitCodes.unreachable);
    }
    const exitCode = error.status >= 500 ? exitCodes.unreachable : exitCodes.refused;
    throw new CommandFailed(refusalText(error, source), exitCode);
  }
}

function clientConfig() {
  try {
    return loadClientConfig();
  } catch (error) {
    if (error instanceof ConfigurationError) throw new CommandFailed(error.message);
    throw error;
  }
}

function refusalText(
  { code, message, field, faults, requestId }: ReckonerApiError,
  source?: SourceFile,
): string {
  if (source === undefined || field === undefined) {
    const id = requestId === undefined ? "" : ` (request ${requestId})`;
    return `${code}: ${message}${id}`;
  }
  const all = faults.length > 0 ? faults : [{ field, detail: withoutField(message, field) }];
  return all
    .map((fault) => faultText(source.name, `${fault.field}: ${fault.detail}`, source.placeOf(fault.field)))
    .join("\n");
}

/** A single refusal repeats its field in its message. */
const withoutField = (message: string, field: string): string =>
  message.slice(message.startsWith("body: ") ? "body: ".length : 0).replace(`${field}: `, "");
