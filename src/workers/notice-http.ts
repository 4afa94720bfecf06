import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { lookupPublic, requirePublicHost } from "./notice-addresses.ts";

export interface HttpAnswer {
  readonly status: number;
  /** How the answer began, as text. */
  readonly answer: string;
  /** What the receiver asked to be left alone for, in milliseconds. */
  readonly retryAfterMs: number;
}

export interface PostOptions {
  /** From the first step to the last byte of the answer that is looked at. */
  readonly timeoutMs: number;
  /** Whether addresses that are not public, and plain HTTP, are good enough. */
  readonly privateAllowed: boolean;
}

/** Of an answer so much is kept; the rest is not waited for. */
const answerBytesMax = 1_024;

/**
 * Posts a body to somebody else's server. Follows no redirect and keeps no connection.
 * @throws for what comes to no answer: an address that is refused, a connection that fails, a receiver that is too slow
 */
export async function postJson(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  { timeoutMs, privateAllowed }: PostOptions,
): Promise<HttpAnswer> {
  if (!privateAllowed) requirePublicHost(url.hostname);
  const isPlain = url.protocol === "http:";
  if (isPlain && !privateAllowed) throw new Error("nothing is sent without TLS");
  const timeout = AbortSignal.timeout(timeoutMs);
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const request = (isPlain ? requestPlain : requestSecure)(url, {
    method: "POST",
    agent: false,
    signal: timeout,
    headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
    ...(privateAllowed ? {} : { lookup: lookupPublic }),
  });
  request.on("response", (response) => readAnswer(response).then(resolve, reject));
  request.on("error", reject);
  request.end(body);
  try {
    return await promise;
  } catch (error) {
    throw timeout.aborted ? new Error(`no answer within ${timeoutMs / 1_000} seconds`) : error;
  } finally {
    request.destroy();
  }
}

/** Settles before the connection is given up: what that makes of the rest of the answer is no error any more. */
function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const parts: Buffer[] = [];
  let length = 0;
  const settle = () => {
    const answer = Buffer.concat(parts).subarray(0, answerBytesMax).toString("utf8").replaceAll("\0", "");
    const status = response.statusCode ?? 0;
    resolve({ status, answer, retryAfterMs: secondsIn(response.headers["retry-after"]) * 1_000 });
  };
  response.on("data", (part: Buffer) => {
    parts.push(part);
    length += part.length;
    if (length >= answerBytesMax) settle();
  });
  response.on("end", settle);
  response.on("error", reject);
  return promise;
}

/** In seconds; a date is taken for no wish, as few send one. */
const secondsIn = (header: string | undefined): number =>
  header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : 0;
