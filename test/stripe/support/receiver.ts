import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";

export type ReceivedPost = {
  readonly headers: IncomingHttpHeaders;
  readonly rawBody: string;
  readonly at: number;
};

export type WebhookReceiver = {
  readonly url: string;
  readonly received: readonly ReceivedPost[];
  /** The types of the events received so far, in order of arrival. */
  types(): string[];
  /** Statuses for the next posts; 200 once they are used up. */
  answerNextWith(...statuses: number[]): void;
  close(): Promise<void>;
};

/** A server that keeps what is posted to it. */
export async function webhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedPost[] = [];
  let statuses: number[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    received.push({
      headers: request.headers,
      rawBody: Buffer.concat(chunks).toString("utf8"),
      at: Date.now(),
    });
    response.writeHead(statuses.shift() ?? 200, { Location: "/elsewhere" }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/webhooks`,
    received,
    types: () => received.map(({ rawBody }) => String(JSON.parse(rawBody).type)),
    answerNextWith: (...next) => {
      statuses = next;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
