import { once } from "node:events";
import { connect } from "node:net";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** One keep-alive connection, one request at a time: a client that takes as little as may be from what is measured. */
export interface HttpConnection {
  /** @param path another than the target's */
  post(body: string, path?: string): Promise<HttpAnswer>;
  close(): void;
}

export interface HttpTarget {
  readonly url: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const headEnd = "\r\n\r\n";

export async function openHttpConnection({ url, path, headers }: HttpTarget): Promise<HttpConnection> {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port: Number(port), noDelay: true });
  await once(socket, "connect");
  const fields = [
    `Host: ${host}:${port}`,
    "Content-Type: application/json",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ].join("\r\n");
  let received: Buffer[] = [];
  let waiting: PromiseWithResolvers<HttpAnswer> | undefined;
  socket.on("data", (piece) => {
    received.push(piece);
    const bytes = received.length === 1 ? piece : Buffer.concat(received);
    const answer = completeAnswer(bytes);
    received = answer === undefined ? [bytes] : [];
    if (answer !== undefined) waiting?.resolve(answer);
  });
  socket.on("error", (error) => waiting?.reject(error));
  socket.on("close", () => waiting?.reject(new Error("the connection was closed")));
  return {
    post(body, to = path) {
      waiting = Promise.withResolvers();
      socket.write(
        `POST ${to} HTTP/1.1\r\n${fields}\r\nContent-Length: ${Buffer.byteLength(body)}${headEnd}${body}`,
      );
      return waiting.promise;
    },
    close: () => socket.destroy(),
  };
}

/** Undefined while something is missing. Answers say their length. */
function completeAnswer(bytes: Buffer): HttpAnswer | undefined {
  const end = bytes.indexOf(headEnd);
  if (end === -1) return undefined;
  const head = bytes.toString("latin1", 0, end);
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
  if (length === undefined) throw new Error(`an answer without a length: ${head}`);
  const from = end + headEnd.length;
  if (bytes.length < from + Number(length)) return undefined;
  return {
    status: Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length)),
    body: bytes.toString("utf8", from),
  };
}
