/** How batches get to the API. It throws when nothing came back; every answer, good or bad, is returned. */
export interface Transport {
  post(request: BatchRequest): Promise<ApiResponse>;
  /** Lets go of connections that are idle. */
  close(): void;
}

export interface BatchRequest {
  readonly url: URL;
  readonly apiKey: string;
  /** A list of events in JSON. */
  readonly body: string;
  readonly isCompressed: boolean;
  readonly timeoutMs: number;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly text: string;
}

export function requestHeaders({ apiKey, isCompressed }: BatchRequest): Record<string, string> {
  return {
    authorization: `Bearer ${apiKey}`,
    "content-type": "application/json",
    accept: "application/json, application/problem+json",
    ...(isCompressed ? { "content-encoding": "gzip" } : {}),
  };
}
