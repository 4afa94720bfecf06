import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

/** A webhook as somebody else's server got it. */
export interface Received {
  readonly id: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  readonly notice: any;
}

type Answer = (request: IncomingMessage, response: ServerResponse, received: Received) => unknown;

/** Somebody else's server, which answers as it is told. */
export async function startReceiver(answer: Answer = (_request, response) => response.writeHead(204).end()) {
  const received: Received[] = [];
  const behaviour = { answer };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const body = Buffer.concat(parts).toString();
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const one = {
      id: headers["webhook-id"] ?? "",
      path: request.url ?? "",
      headers,
      body,
      notice: body === "" ? null : JSON.parse(body),
    };
    received.push(one);
    behaviour.answer(request, response, one);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hooks`,
    port,
    received,
    answerWith(next: Answer) {
      behaviour.answer = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/** What Standard Webhooks' own verifier makes of it; throws when the signature is not right. */
export const verified = ({ body, headers }: Received, secret: string): unknown =>
  new Webhook(secret).verify(body, headers);
