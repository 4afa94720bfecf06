import { later } from "./clock.ts";
import { type ApiResponse, type BatchRequest, requestHeaders, type Transport } from "./transport.ts";

/** With nothing but what every runtime of the web has. */
export function createFetchTransport(fetchIt: typeof fetch = fetch): Transport {
  return {
    async post(request: BatchRequest): Promise<ApiResponse> {
      const timeout = new AbortController();
      const cancel = later(request.timeoutMs, () => timeout.abort(new Error("no answer came in time")));
      try {
        const response = await fetchIt(request.url, {
          method: "POST",
          redirect: "manual",
          headers: requestHeaders(request),
          body: request.isCompressed ? await gzip(request.body) : request.body,
          signal: AbortSignal.any([request.signal, timeout.signal]),
        });
        const text = await response.text();
        return { status: response.status, retryAfter: response.headers.get("retry-after"), text };
      } finally {
        cancel();
      }
    },
    close() {},
  };
}

async function gzip(text: string): Promise<ArrayBuffer> {
  const compressed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return await new Response(compressed).arrayBuffer();
}
