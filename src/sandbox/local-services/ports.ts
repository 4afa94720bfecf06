import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { LocalServiceError } from "./local-service-error.ts";

export const localHost = "127.0.0.1";

/** Below the ports that systems give to outgoing connections, any of which could otherwise take ours before we do. */
const ports = { from: 15_000, to: 32_000 };
const triesMax = 100;

/** A port that is free, chosen at random so that several runs at once do not choose the same. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < triesMax; attempt++) {
    const port = await listenBriefly(randomInt(ports.from, ports.to));
    if (port !== undefined) return port;
  }
  throw new LocalServiceError("no free port was found on this machine");
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
