import { createServer } from "node:net";
import { LocalServiceError } from "./local-service-error.ts";

export const localHost = "127.0.0.1";

/** A port that was free a moment ago; another program may still take it. */
export async function freePort(): Promise<number> {
  const port = await listenBriefly(0);
  if (port === undefined) throw new LocalServiceError("no free port was found on this machine");
  return port;
}

/** Refuses a port that another program holds; `variable` is the one that chooses another port. */
export async function requireFreePort(port: number, service: string, variable: string): Promise<void> {
  if ((await listenBriefly(port)) !== undefined) return;
  throw new LocalServiceError(
    `port ${port}, which ${service} needs, is taken: stop the other program, or set ${variable} to a free port`,
  );
}

function listenBriefly(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: localHost, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : undefined));
    });
  });
}
