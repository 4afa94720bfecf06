import type { Logger } from "pino";
import type { ApiInstance } from "./api-instance.ts";

const shutdownMsMax = 15_000;

/**
 * Listens until the process is told to end. Then it takes no new requests, finishes those it has, and closes what they
 * used. A second signal, or a request that does not end, does not hold it up.
 */
export async function serve(
  api: ApiInstance,
  { host, port, logger, close }: { host: string; port: number; logger: Logger; close: () => Promise<void> },
): Promise<void> {
  let isClosing = false;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (isClosing) process.exit(1);
    isClosing = true;
    logger.info({ signal }, "closing");
    setTimeout(() => process.exit(1), shutdownMsMax).unref();
    // A connection whose last request ends now would stay open for the next one.
    const sweep = setInterval(() => api.server.closeIdleConnections(), 50);
    await api.close();
    clearInterval(sweep);
    await close();
    logger.info("closed");
  };
  process.on("SIGTERM", end).on("SIGINT", end);
  const url = await api.listen({ host, port });
  logger.info({ url }, "listening");
}
