import type { ApiInstance } from "./api-instance.ts";

/** Answers of the API are read by programs: no page may run, frame or guess at them, and no cache may keep them. */
const answers = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
};

const everywhere = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  // Browsers heed it over TLS alone.
  "strict-transport-security": "max-age=31536000; includeSubDomains",
};

const headersOf = { page: Object.entries(everywhere), answer: Object.entries({ ...everywhere, ...answers }) };

/** Headers for browsers. What a route or the console says for itself stays. */
export function secureAnswers(api: ApiInstance): void {
  api.addHook("onSend", async (request, reply) => {
    const kind = /^\/(v1|auth)\//.test(request.url) ? "answer" : "page";
    for (const [name, value] of headersOf[kind]) {
      if (!reply.hasHeader(name)) reply.header(name, value);
    }
  });
}
