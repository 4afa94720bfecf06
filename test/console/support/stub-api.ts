import Fastify from "fastify";
import { consoleAssets } from "../../../src/api/console-assets.ts";
import { answers } from "./records.ts";

export const stubKey = "rk_test_console";

/** A server that answers the console's reads from `records.ts` and serves a built console, if it is given one. */
export async function startStubApi(consoleFolder?: string) {
  const reads: string[] = [];
  const server = Fastify();
  server.get("/readyz", async () => ({ ready: true, checks: [{ name: "database", ok: true }] }));
  server.get("/v1/*", async (request, reply) => {
    reads.push(request.url);
    const { pathname } = new URL(request.url, "http://stub");
    const isKnown = request.headers.authorization === `Bearer ${stubKey}`;
    if (!isKnown) return reply.code(401).send(problem(401, "api_key_invalid", "this API key does not exist"));
    const answer = answers[decodeURIComponent(pathname)];
    if (answer === undefined)
      return reply.code(404).send(problem(404, "not_found", `there is no ${pathname}`));
    return answer;
  });
  // Typed for the API's own logger and schemas, which serving files does not touch.
  if (consoleFolder !== undefined) await consoleAssets(server as never, consoleFolder);
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return { url, reads, close: () => server.close() };
}

const problem = (status: number, code: string, detail: string) => ({
  type: `urn:reckoner:problem:${code}`,
  title: code,
  status,
  code,
  detail,
  request_id: "req_1",
});
