import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import type { UsageEventInput } from "../../../src/sdk/usage/node.ts";

/** A request for events as it came in, and when, in milliseconds of the monotonic clock. */
export interface SeenRequest {
  readonly atMs: number;
  readonly headers: IncomingHttpHeaders;
  readonly isCompressed: boolean;
  /** Undefined when the body was no list in JSON. */
  readonly events: readonly UsageEventInput[] | undefined;
  readonly bytes: number;
}

export interface SeenHeartbeat {
  readonly source: string;
  readonly instance: string;
  readonly complete_until?: string;
  readonly final?: true;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** What becomes of a request: an answer of its own, none, a cut line, or, when undefined, the ordinary answer. */
export type Behaviour = (
  request: SeenRequest,
) => Reply | "hang" | "cut" | undefined | Promise<Reply | "hang" | "cut" | undefined>;

/** As much of the API as a test needs to decide what it answers: it keeps events by their keys and counts requests. */
export interface FakeApi {
  readonly url: string;
  /** By `source/id`: the content that came first. */
  readonly kept: ReadonlyMap<string, UsageEventInput>;
  readonly requests: readonly SeenRequest[];
  /** What it was told of how far sources are, in order. */
  readonly heartbeats: readonly SeenHeartbeat[];
  /** What it answers to that. */
  heartbeatStatus: number;
  behave: Behaviour;
  /** Nobody listens at its address from then on; connections are cut. */
  stop(): Promise<void>;
  /** Listens again, at the same address. */
  start(): Promise<void>;
}

/** A problem as Reckoner words it. */
export const problem = (status: number, code: string, headers: Record<string, string> = {}): Reply => ({
  status,
  headers,
  body: { type: `urn:reckoner:problem:${code}`, title: code, status, code, detail: `it is ${code}` },
});

export async function startFakeApi(behave: Behaviour = () => undefined): Promise<FakeApi> {
  const kept = new Map<string, UsageEventInput>();
  const requests: SeenRequest[] = [];
  const heartbeats: SeenHeartbeat[] = [];
  let server: Server | undefined;
  let port = 0;
  const listen = async () => {
    server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      request.on("error", () => {});
      for await (const part of request) parts.push(part as Buffer);
      if (request.url?.endsWith("/v1/usage/heartbeats")) {
        heartbeats.push(JSON.parse(Buffer.concat(parts).toString("utf8")));
        return void response.writeHead(api.heartbeatStatus).end("{}");
      }
      const seen = seenRequest(request.headers, Buffer.concat(parts));
      requests.push(seen);
      const reply = await api.behave(seen);
      if (reply === "hang") return;
      if (reply === "cut") return void request.socket.destroy();
      const { status, headers, body } = reply ?? ordinaryReply(seen, kept);
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(body ?? {}));
    });
    await new Promise<void>((resolve) => server?.listen(port, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  };
  const api: FakeApi = {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    kept,
    requests,
    heartbeats,
    heartbeatStatus: 200,
    behave,
    async stop() {
      const stopping = server;
      server = undefined;
      stopping?.closeAllConnections();
      await new Promise((resolve) => (stopping ? stopping.close(resolve) : resolve(undefined)));
    },
    start: listen,
  };
  await listen();
  return api;
}

function seenRequest(headers: IncomingHttpHeaders, body: Buffer): SeenRequest {
  const isCompressed = headers["content-encoding"] === "gzip";
  const atMs = performance.now();
  return {
    atMs,
    headers,
    isCompressed,
    bytes: body.length,
    events: eventsIn(isCompressed ? gunzipSync(body) : body),
  };
}

function eventsIn(body: Buffer): UsageEventInput[] | undefined {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** The same key is a duplicate when the content is the same, else a conflict. */
export function ordinaryReply({ events = [] }: SeenRequest, kept: Map<string, UsageEventInput>): Reply {
  const results = events.map((event, index) => {
    const key = `${event.source}/${event.id}`;
    const before = kept.get(key);
    if (before === undefined) kept.set(key, event);
    const isSame = JSON.stringify(before) === JSON.stringify(event);
    const status = before === undefined ? "accepted" : isSame ? "duplicate" : "conflict";
    return {
      index,
      id: event.id,
      status,
      ...(status === "conflict" ? { code: "usage_event_conflict" } : {}),
    };
  });
  return answer(results);
}

/** An answer as Reckoner words it, with all its results. */
export function answer(results: readonly { readonly index: number; readonly status: string }[]): Reply {
  const count = (status: string) => results.filter((result) => result.status === status).length;
  const counts = {
    accepted: count("accepted"),
    duplicates: count("duplicate"),
    conflicts: count("conflict"),
    invalid: count("invalid"),
    quarantined: count("quarantined"),
  };
  return { status: 200, body: { ...counts, results } };
}
