import { createServer, type Server } from "node:http";
import type { Registry } from "prom-client";

/** Serves /metrics for Prometheus, and nothing else. */
export async function serveMetrics(metrics: Registry, port: number): Promise<Server> {
  const server = createServer(async (request, response) => {
    if (request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": metrics.contentType }).end(await metrics.metrics());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, resolve);
  });
  return server;
}
