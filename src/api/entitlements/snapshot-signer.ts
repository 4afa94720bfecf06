import { createECDH, createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { RequestRefusedError } from "../refusals.ts";
import type { SnapshotClaims } from "./snapshot-wire.ts";

/** A key that whoever holds snapshots verifies them with. */
export interface PublicSnapshotKey {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly alg: "ES256";
  readonly use: "sig";
}

export interface SnapshotSigner {
  /** Those of all keys: snapshots that an older one signed are verified until they expire. */
  readonly publicKeys: readonly PublicSnapshotKey[];
  /** A JWS in its compact form, signed by the first key. */
  sign(claims: SnapshotClaims): string;
}

/**
 * @param secrets of 32 bytes each; the first signs
 * @throws RequestRefusedError `entitlement_snapshots_unavailable` without any
 */
export function snapshotSigner(secrets: readonly Uint8Array[]): SnapshotSigner {
  const pairs = secrets.map(pairOf);
  const [signing] = pairs;
  if (signing === undefined) {
    const message = "this deployment has no key to sign snapshots with: set ENTITLEMENT_SIGNING_KEYS";
    throw new RequestRefusedError("entitlement_snapshots_unavailable", message);
  }
  const header = encoded({ alg: "ES256", kid: signing.publicKey.kid, typ: "entitlements+jwt" });
  return {
    publicKeys: pairs.map(({ publicKey }) => publicKey),
    sign(claims) {
      const signed = `${header}.${encoded(claims)}`;
      const signature = sign("sha256", Buffer.from(signed), {
        key: signing.privateKey,
        dsaEncoding: "ieee-p1363",
      });
      return `${signed}.${signature.toString("base64url")}`;
    },
  };
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");

/** The secret is the private number of the pair, as in every other use of the curve. */
function pairOf(secret: Uint8Array): { privateKey: KeyObject; publicKey: PublicSnapshotKey } {
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(secret);
  const point = curve.getPublicKey();
  const [x, y] = [point.subarray(1, 33).toString("base64url"), point.subarray(33).toString("base64url")];
  const named = { crv: "P-256", kty: "EC", x, y } as const;
  // The thumbprint of RFC 7638: the same key has the same name everywhere.
  const kid = createHash("sha256").update(JSON.stringify(named)).digest("base64url");
  const d = Buffer.from(secret).toString("base64url");
  return {
    privateKey: createPrivateKey({ key: { ...named, d }, format: "jwk" }),
    publicKey: { ...named, kid, alg: "ES256", use: "sig" },
  };
}
