import { type StreamEvent, streamEvents } from "./event-stream.ts";

export interface ApiAddress {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly fetch: typeof fetch;
}

/** A request that the API refused, or did not answer as itself. */
export class EdgeRequestError extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.name = "EdgeRequestError";
    this.status = status;
  }
}

/** @throws EdgeRequestError; TypeError where nobody answers */
export async function ask(
  { baseUrl, apiKey, fetch }: ApiAddress,
  path: string,
  { body, headers, signal }: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  const response = await fetch(`${baseUrl}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${apiKey}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
  throw new EdgeRequestError(response.status, `${problem.code ?? response.status}: ${problem.detail ?? ""}`);
}

export interface FollowOptions {
  readonly address: ApiAddress;
  readonly path: string;
  /** What is held already: it is not sent again. */
  readonly lastEventId: () => string | undefined;
  /** What throws here breaks the connection off. */
  readonly onEvent: (event: StreamEvent) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
  /** After so long without a word the connection is taken for dead. */
  readonly silenceMsMax: number;
  readonly backoffMs: { readonly first: number; readonly max: number };
}

export interface Following {
  /** Ends the connection; it is over when this is. */
  close(): Promise<void>;
}

/** Follows a stream of events, and comes again whenever it ends: sooner after it worked, ever later while it does not. */
export function follow(options: FollowOptions): Following {
  let isClosed = false;
  let connection = new AbortController();
  let wake = () => {};
  const following = (async () => {
    for (let failures = 0; !isClosed; ) {
      connection = new AbortController();
      try {
        await listen(options, connection, () => {
          failures = 0;
        });
      } catch (error) {
        if (!isClosed) options.onFailure(error);
      }
      if (isClosed) return;
      const { first, max } = options.backoffMs;
      const pauseMs = Math.min(max, first * 2 ** failures) * (0.5 + Math.random() / 2);
      failures += 1;
      await new Promise<void>((resolve) => {
        wake = resolve;
        quietly(setTimeout(resolve, pauseMs));
      });
    }
  })();
  return {
    async close() {
      isClosed = true;
      connection.abort();
      wake();
      await following;
    },
  };
}

async function listen(
  options: FollowOptions,
  connection: AbortController,
  onHeard: () => void,
): Promise<void> {
  const { address, path, lastEventId, onEvent, silenceMsMax } = options;
  const end = () => connection.abort(new Error("nothing was heard"));
  let silence = quietly(setTimeout(end, silenceMsMax));
  try {
    const known = lastEventId();
    const headers = {
      accept: "text/event-stream",
      ...(known === undefined ? {} : { "last-event-id": known }),
    };
    const { body } = await ask(address, path, { headers, signal: connection.signal });
    if (body === null) throw new Error("the answer has no body");
    for await (const event of streamEvents(body)) {
      clearTimeout(silence);
      silence = quietly(setTimeout(end, silenceMsMax));
      await onEvent(event);
      onHeard();
    }
  } finally {
    clearTimeout(silence);
    connection.abort();
  }
}

/** Where timers keep a process alive, this one does not. */
function quietly(timer: ReturnType<typeof setTimeout>): ReturnType<typeof setTimeout> {
  if (typeof timer === "object") timer.unref?.();
  return timer;
}
