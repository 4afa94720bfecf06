import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { later } from "./clock.ts";
import { type ApiResponse, type BatchRequest, requestHeaders, type Transport } from "./transport.ts";

const compress = promisify(gzip);
/** Usage is repetitive: the quickest level makes it six times smaller already. */
const gzipOptions = { level: constants.Z_BEST_SPEED, chunkSize: 128 * 1_024 };
/** Room for what is said of 10,000 events. */
const answerBytesMax = 16 * 1_024 * 1_024;

/**
 * With Node's own HTTP, whose sockets, unlike those of fetch, can be let go of: a request that is under way does not keep
 * a service alive that has ended.
 */
export function createHttpTransport(connectionsMax: number): Transport {
  const options = { keepAlive: true, maxSockets: connectionsMax };
  const agents = { "http:": new HttpAgent(options), "https:": new HttpsAgent(options) };
  return {
    post: async (request) => {
      const body = request.isCompressed
        ? await compress(request.body, gzipOptions)
        : Buffer.from(request.body);
      const agent = request.url.protocol === "https:" ? agents["https:"] : agents["http:"];
      try {
        return await send(request, body, agent);
      } catch (error) {
        // The API had closed the idle connection in that very moment: nothing is wrong, another one is opened.
        if (error instanceof StaleConnectionError) return await send(request, body, agent);
        throw error;
      }
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

class StaleConnectionError extends Error {}

function send(request: BatchRequest, body: Uint8Array, agent: HttpAgent): Promise<ApiResponse> {
  const { url, signal, timeoutMs } = request;
  return new Promise((resolve, reject) => {
    const start = url.protocol === "https:" ? httpsRequest : httpRequest;
    const headers = { ...requestHeaders(request), "content-length": body.length };
    const sent = start(url, { method: "POST", headers, agent, signal });
    const cancel = later(timeoutMs, () => sent.destroy(new Error("no answer came in time")));
    const fail = (error: Error) => {
      cancel();
      reject(error);
    };
    sent.on("socket", (socket) => socket.unref());
    sent.on("error", (error: NodeJS.ErrnoException) => {
      const isStale = sent.reusedSocket && error.code === "ECONNRESET";
      fail(isStale ? new StaleConnectionError(error.message) : error);
    });
    sent.on("response", (response) => {
      read(response).then((answer) => {
        cancel();
        resolve(answer);
      }, fail);
    });
    sent.end(body);
  });
}

async function read(response: IncomingMessage): Promise<ApiResponse> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > answerBytesMax) throw new Error(`the answer is longer than ${answerBytesMax} bytes`);
    parts.push(part);
  }
  const retryAfter = response.headers["retry-after"] ?? null;
  return { status: response.statusCode ?? 0, retryAfter, text: Buffer.concat(parts).toString("utf8") };
}
