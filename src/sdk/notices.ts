/** A notice as Reckoner sends it to a webhook endpoint; `docs/notices.md` says what each type has in `data`. */
export interface Notice {
  /** The same for every attempt, and for every endpoint: whoever keeps the ids he has seen does nothing twice. */
  readonly id: string;
  readonly type: string;
  /** Higher is later, among the notices of one customer; they may come in another order. */
  readonly sequence: string;
  /** When it happened, by the customer's clock. */
  readonly timestamp: string;
  readonly customer_id: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** It was not signed with any of the secrets, was changed on the way, or is too old to be taken for new. */
export class NoticeNotVerifiedError extends Error {}

export interface NoticeVerification {
  /** The body as it came, byte for byte: parsed and written anew it has another signature. */
  readonly body: string;
  /** Of the request, whatever their case. */
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** `whsec_…`, or several. */
  readonly secret: string | readonly string[];
  /** How far the sender's clock may be from ours; five minutes when left out. */
  readonly toleranceSeconds?: number;
  /** Our clock. */
  readonly now?: () => Date;
}

/**
 * Verifies the signature of a notice as Standard Webhooks has it, and gives the notice. Works wherever there is Web Crypto.
 * @throws NoticeNotVerifiedError
 */
export async function verifyNotice({
  body,
  headers,
  secret,
  toleranceSeconds = 300,
  now = () => new Date(),
}: NoticeVerification): Promise<Notice> {
  const [id, timestamp, signatures] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) =>
    headerOf(headers, name),
  );
  if (!id || !timestamp || !signatures) throw new NoticeNotVerifiedError("a header is missing");
  const age = Math.abs(now().getTime() / 1_000 - Number(timestamp));
  if (!/^\d+$/.test(timestamp) || age > toleranceSeconds) {
    throw new NoticeNotVerifiedError("the timestamp is too far from our clock");
  }
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const given = signatures.split(" ").filter((signature) => signature.startsWith("v1,"));
  for (const each of typeof secret === "string" ? [secret] : secret) {
    for (const signature of given) {
      if (await matches(each, signature.slice("v1,".length), signed)) return JSON.parse(body) as Notice;
    }
  }
  throw new NoticeNotVerifiedError("no signature matches");
}

/** Compared by Web Crypto, in constant time. */
async function matches(secret: string, signature: string, signed: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const raw = bytesOf(secret.replace(/^whsec_/, ""));
  const expected = bytesOf(signature);
  if (raw === undefined || expected === undefined) return false;
  const key = await crypto.subtle.importKey("raw", raw, algorithm, false, ["verify"]);
  return await crypto.subtle.verify("HMAC", key, expected, signed);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function headerOf(headers: NoticeVerification["headers"], name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const entry = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof entry === "string" ? entry : entry?.[0];
}
