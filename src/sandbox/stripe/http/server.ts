import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { control } from "../control/control.ts";
import { pageFor } from "../pages/pages.ts";
import type { Accounts } from "../state/accounts.ts";
import { type HttpReply, StripeApi, type WireEffect } from "./api.ts";
import type { Instruments } from "./instruments.ts";

/** Larger than the largest request there is: 250 lines with full metadata. */
const bodyBytesMax = 8 * 1024 * 1024;

/** The HTTP side: people's pages, the control API, and Stripe's API for everything else. */
export function createHttpServer(accounts: Accounts, instruments: Instruments): Server {
  const api = new StripeApi(accounts, instruments);
  return createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    try {
      await answer(request, response, api, accounts, instruments);
    } catch (error) {
      instruments.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
      request.socket.destroy();
    }
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  api: StripeApi,
  accounts: Accounts,
  instruments: Instruments,
): Promise<void> {
  const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "localhost"}`);
  const method = request.method ?? "GET";
  const body = await bodyOf(request);
  const page = pageFor({ method, path: url.pathname, body }, accounts);
  if (page) return send(response, page);
  if (url.pathname.startsWith("/_sandbox/")) {
    const { authorization } = request.headers;
    return send(
      response,
      control({ method, path: url.pathname, body, authorization }, accounts, instruments),
    );
  }
  const { headers } = request;
  const effect = await api.handle({
    method,
    path: url.pathname,
    query: url.search.slice(1),
    body,
    headers,
    baseUrl: url.origin,
  });
  carryOut(effect, request, response);
}

function carryOut(effect: WireEffect, request: IncomingMessage, response: ServerResponse): void {
  switch (effect.kind) {
    case "reply":
      send(response, effect.reply);
      return;
    case "reset":
      request.socket.resetAndDestroy();
      return;
    case "truncate": {
      const { status, headers, body } = effect.reply;
      response.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(body) });
      response.write(body.slice(0, body.length / 2), () => request.socket.destroy());
      return;
    }
    case "hang":
      // The client's own timeout ends it.
      return;
  }
}

function send(response: ServerResponse, { status, headers, body }: HttpReply): void {
  response.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += part.length;
    if (bytes > bodyBytesMax) throw new Error("request body is too large");
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString("utf8");
}
