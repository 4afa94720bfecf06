import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { z } from "zod";
import type { ApiInstance } from "../../api/api-instance.ts";

const cookieName = "reckoner_codec";
/** A working day. */
const sessionSeconds = 12 * 3_600;

/**
 * The Temporal UI cannot be given a key, but sends cookies when it is told to. So an operator signs in here once, and the
 * browser keeps the API key in a cookie that no script reads, sealed by a secret that this process forgets when it ends.
 * Each request opens it and is judged by the key, so that one which is revoked opens nothing any more.
 */
export function browserSessions(server: ApiInstance): void {
  const secret = randomBytes(32);
  server.addHook("onRequest", async ({ headers }) => {
    if (headers.authorization !== undefined) return;
    const apiKey = opened(cookieIn(headers.cookie), secret);
    if (apiKey !== undefined) headers.authorization = `Bearer ${apiKey}`;
  });
  server.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  server.get("/", (_request, reply) => reply.type("text/html; charset=utf-8").send(signInPage));
  server.post(
    "/",
    { schema: { body: z.object({ api_key: z.string().min(1).max(500) }) } },
    (request, reply) => {
      const { origin, host } = request.headers;
      // A foreign page must not sign anybody in.
      if (origin !== undefined && URL.canParse(origin) && new URL(origin).host !== host)
        return reply.code(403).send();
      const isSecure = request.protocol === "https" || request.headers["x-forwarded-proto"] === "https";
      // Across sites a browser sends a cookie only when it is Secure; on one machine UI and codec server are one site.
      const reach = isSecure ? "SameSite=None; Secure" : "SameSite=Lax";
      const sealed = sealedWith(secret, request.body.api_key.trim());
      reply.header(
        "set-cookie",
        `${cookieName}=${sealed}; HttpOnly; Path=/; Max-Age=${sessionSeconds}; ${reach}`,
      );
      return reply.type("text/html; charset=utf-8").send(signedInPage);
    },
  );
}

function cookieIn(header = ""): string | undefined {
  const found = header.split(/;\s*/).find((cookie) => cookie.startsWith(`${cookieName}=`));
  return found?.slice(cookieName.length + 1);
}

function sealedWith(secret: Buffer, apiKey: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", secret, nonce);
  const text = Buffer.concat([cipher.update(apiKey), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64url");
}

function opened(sealed: string | undefined, secret: Buffer): string | undefined {
  if (sealed === undefined) return undefined;
  const bytes = Buffer.from(sealed, "base64url");
  try {
    const cipher = createDecipheriv("aes-256-gcm", secret, bytes.subarray(0, 12), { authTagLength: 16 });
    cipher.setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([cipher.update(bytes.subarray(28)), cipher.final()]).toString();
  } catch {
    // Of a process that has ended, or nothing of ours: as if there were none.
    return undefined;
  }
}

const pageWith = (content: string) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Reckoner codec server</title>
<style>body{font:16px/1.5 system-ui;max-width:36rem;margin:4rem auto;padding:0 1rem}input{width:100%;padding:.5rem;font:inherit;box-sizing:border-box}button{margin-top:1rem;padding:.5rem 1rem;font:inherit}</style>
<h1>Codec server</h1>${content}</html>`;

const signInPage =
  pageWith(`<p>Sign in with an API key that has the scope <code>operate</code>, and the Temporal UI in this
browser shows what payloads say.</p>
<form method="post"><label for="api_key">API key</label>
<input id="api_key" name="api_key" type="password" autocomplete="off" required><button>Sign in</button></form>`);

const signedInPage = pageWith(
  "<p>Signed in. In the Temporal UI, give this address as the remote codec endpoint, and let it send cross-origin credentials.</p>",
);
