import Fastify, { type FastifyRequest } from "fastify";
import { consoleAssets } from "../../../src/api/console-assets.ts";

/** One write that went through. */
export interface SeenWrite {
  readonly path: string;
  readonly idempotencyKey: string | undefined;
}

/** Serves a built console before an API, as one address. It can lose the answer to a write on the way. */
export async function startConsoleFront(folder: string, apiUrl: string) {
  const writes: SeenWrite[] = [];
  let isLosing = false;
  const server = Fastify();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  server.all("/v1/*", async (request, reply) => {
    const answer = await passOn(request, apiUrl);
    const body = Buffer.from(await answer.arrayBuffer());
    if (request.method === "POST") {
      const key = request.headers["idempotency-key"];
      writes.push({ path: request.url, idempotencyKey: typeof key === "string" ? key : undefined });
      if (isLosing) {
        request.raw.socket.destroy();
        return reply.hijack();
      }
    }
    const type = answer.headers.get("content-type") ?? "application/octet-stream";
    return reply.code(answer.status).type(type).send(body);
  });
  // Typed for the API's own logger and schemas, which serving files does not touch.
  await consoleAssets(server as never, folder);
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    url,
    writes,
    /** From now on writes are done and nobody hears of it, or they are answered again. Browsers repeat some by themselves. */
    loseAnswers(isLost: boolean) {
      isLosing = isLost;
    },
    close: () => server.close(),
  };
}

function passOn({ method, url, headers, body }: FastifyRequest, apiUrl: string): Promise<Response> {
  const passed = ["authorization", "content-type", "idempotency-key"].flatMap((name) => {
    const value = headers[name];
    return typeof value === "string" ? [[name, value] as const] : [];
  });
  return fetch(apiUrl + url, {
    method,
    headers: Object.fromEntries(passed),
    ...(Buffer.isBuffer(body) ? { body: new Uint8Array(body) } : {}),
  });
}
