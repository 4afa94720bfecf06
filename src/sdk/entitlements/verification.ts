import type { SnapshotClaims } from "./claims.ts";

/** A public key as `GET /v1/entitlements/keys` gives it. */
export interface SnapshotKey {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly y: string;
  readonly kid: string;
}

export type VerificationCode = "snapshot_malformed" | "key_unknown" | "signature_wrong";

/** It was not signed by a key that we trust, or was changed since. */
export class SnapshotNotVerifiedError extends Error {
  readonly code: VerificationCode;

  constructor(code: VerificationCode, message: string) {
    super(message);
    this.name = "SnapshotNotVerifiedError";
    this.code = code;
  }
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** Public keys by name; where none are given they are asked for, and asked for again when a name is not known. */
export class TrustedKeys {
  readonly #keys = new Map<string, CryptoKey>();
  readonly #read: (() => Promise<readonly SnapshotKey[]>) | undefined;
  readonly #now: () => number;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  /** @param given keys that are trusted whatever is read, and the only ones without `read` */
  constructor(
    given: readonly SnapshotKey[],
    { read, now }: { read?: (() => Promise<readonly SnapshotKey[]>) | undefined; now: () => number },
  ) {
    this.#read = read;
    this.#now = now;
    this.#reading = given.length === 0 ? undefined : this.#add(given);
  }

  async of(kid: string): Promise<CryptoKey | undefined> {
    await this.#reading;
    const known = this.#keys.get(kid);
    if (known !== undefined || this.#read === undefined) return known;
    // A name that is made up must not make us ask without end.
    if (this.#now() - this.#readAt >= readEveryMs) {
      this.#readAt = this.#now();
      this.#reading = this.#read().then((keys) => this.#add(keys));
      await this.#reading.finally(() => {
        this.#reading = undefined;
      });
    }
    return this.#keys.get(kid);
  }

  async #add(keys: readonly SnapshotKey[]): Promise<void> {
    for (const { kid, kty, crv, x, y } of keys) {
      const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, algorithm, false, ["verify"]);
      this.#keys.set(kid, key);
    }
  }
}

const readEveryMs = 5_000;

/**
 * Verifies a snapshot or a renewal (a JWS in its compact form, ES256) and gives its claims. Whether they are new enough is for who
 * holds others to say.
 * @throws SnapshotNotVerifiedError; whatever reading keys throws
 */
export async function verifySnapshot(signed: string, keys: TrustedKeys): Promise<SnapshotClaims> {
  const [head = "", payload = "", signature = "", ...rest] = signed.split(".");
  const header = parsed(head) as { alg?: unknown; kid?: unknown } | undefined;
  // Whoever signs does not choose the algorithm: there is one.
  if (rest.length > 0 || header?.alg !== "ES256" || typeof header.kid !== "string") {
    throw new SnapshotNotVerifiedError("snapshot_malformed", "it is not a JWS of ES256 in its compact form");
  }
  const key = await keys.of(header.kid);
  if (key === undefined) throw new SnapshotNotVerifiedError("key_unknown", `no key is named ${header.kid}`);
  const given = bytesOf(signature);
  const text = new TextEncoder().encode(`${head}.${payload}`);
  const isSigned = given !== undefined && (await crypto.subtle.verify(algorithm, key, given, text));
  if (!isSigned)
    throw new SnapshotNotVerifiedError("signature_wrong", "the signature is not that of its text");
  const claims = parsed(payload) as SnapshotClaims | undefined;
  if (claims === undefined)
    throw new SnapshotNotVerifiedError("snapshot_malformed", "its claims are not JSON");
  return claims;
}

function parsed(base64url: string): unknown {
  const bytes = bytesOf(base64url);
  try {
    return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const base64 = base64url.replaceAll("-", "+").replaceAll("_", "/");
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
