export interface RetryOptions {
  /** How often a request is sent at most. */
  readonly attemptsMax: number;
  /** How long one attempt may take, its answer included; null: as long as it takes. */
  readonly timeoutMs: number | null;
  /** The pause before the second attempt; it doubles from then on. */
  readonly firstPauseMs: number;
}

const pauseMsMax = 10_000;

/**
 * Sends a request again when nothing came back or the answer says that it may work later. Every write carries an
 * Idempotency-Key, the same one on each attempt, so that sending it twice is doing it once.
 */
export async function fetchWithRetries(request: Request, options: RetryOptions): Promise<Response> {
  const keyed = withIdempotencyKey(request);
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt >= options.attemptsMax;
    const signal = withTimeout(keyed.signal, options.timeoutMs);
    try {
      const response = await fetch(new Request(keyed.clone(), { signal }));
      if (isLast || !(await mayWorkLater(response))) return response;
      await response.body?.cancel();
      await pause(attempt, options, keyed.signal, response.headers.get("retry-after"));
    } catch (error) {
      if (isLast || keyed.signal.aborted) throw error;
      await pause(attempt, options, keyed.signal, null);
    }
  }
}

const withTimeout = (signal: AbortSignal, timeoutMs: number | null): AbortSignal =>
  timeoutMs === null ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);

function withIdempotencyKey(request: Request): Request {
  if (request.method !== "POST" || request.headers.has("idempotency-key")) return request;
  const headers = new Headers(request.headers);
  headers.set("idempotency-key", crypto.randomUUID());
  return new Request(request, { headers });
}

async function mayWorkLater(response: Response): Promise<boolean> {
  if (response.status >= 500 || response.status === 429) return true;
  if (response.status !== 409) return false;
  const problem: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  return (
    typeof problem === "object" &&
    problem !== null &&
    "code" in problem &&
    problem.code === "idempotency_in_progress"
  );
}

/** The server's wish if it has one, else twice as long each time; never in step with other clients. */
function pause(
  attempt: number,
  { firstPauseMs }: RetryOptions,
  signal: AbortSignal,
  retryAfter: string | null,
): Promise<void> {
  const wishedMs = Number(retryAfter ?? Number.NaN) * 1000;
  const ms = Math.min(Number.isFinite(wishedMs) ? wishedMs : firstPauseMs * 2 ** (attempt - 1), pauseMsMax);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms * (0.5 + Math.random() / 2));
    const giveUp = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp, { once: true });
  });
}
