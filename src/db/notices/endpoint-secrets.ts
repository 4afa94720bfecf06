import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { and, asc, desc, eq, gt, isNull, or } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { Tx } from "../database.ts";
import { endpointSecret } from "../schema/notices.ts";

/** 256-bit keys under which secrets are kept: the first seals, every one opens. */
export type SealingKeys = readonly Uint8Array[];

const [keyIdBytes, nonceBytes, tagBytes] = [8, 12, 16];

/** A new signing secret, as Standard Webhooks writes it: `whsec_` and 32 random bytes in base64. */
export const newSigningSecret = (): string => `whsec_${randomBytes(32).toString("base64")}`;

/**
 * Keeps a secret as the endpoint's newest. Those before it go on signing until they expire, so that receivers can change over.
 * @param earlierUntil when those before it expire
 */
export async function addSecret(
  tx: Tx,
  keys: SealingKeys,
  secret: { readonly endpointId: string; readonly text: string; readonly at: Instant },
  earlierUntil: Instant,
): Promise<void> {
  const { endpointId, text, at } = secret;
  const [last] = await tx
    .select({ number: endpointSecret.number })
    .from(endpointSecret)
    .where(eq(endpointSecret.endpointId, endpointId))
    .orderBy(desc(endpointSecret.number))
    .limit(1);
  const number = (last?.number ?? 0) + 1;
  await tx
    .update(endpointSecret)
    .set({ expiresAt: earlierUntil })
    .where(
      and(
        eq(endpointSecret.endpointId, endpointId),
        or(isNull(endpointSecret.expiresAt), gt(endpointSecret.expiresAt, earlierUntil)),
      ),
    );
  const sealed = seal(keys, text, placeOf(endpointId, number));
  await tx.insert(endpointSecret).values({ endpointId, number, sealed, createdAt: at });
}

/** What an endpoint is signed for with now, the newest last. */
export async function secretsOf(
  tx: Tx,
  keys: SealingKeys,
  endpointId: string,
  now: Instant,
): Promise<string[]> {
  const found = await tx
    .select()
    .from(endpointSecret)
    .where(
      and(
        eq(endpointSecret.endpointId, endpointId),
        or(isNull(endpointSecret.expiresAt), gt(endpointSecret.expiresAt, now)),
      ),
    )
    .orderBy(asc(endpointSecret.number));
  return found.map(({ number, sealed }) => open(keys, sealed, placeOf(endpointId, number)));
}

/** A sealed secret is bound to its row: moved to another one, it does not open. */
const placeOf = (endpointId: string, number: number): Buffer => Buffer.from(`${endpointId}/${number}`);

/** Which key sealed it: enough to find it again, and nothing about it. */
const keyIdOf = (key: Uint8Array): Buffer =>
  createHash("sha256").update(key).digest().subarray(0, keyIdBytes);

/** AES-256-GCM: the key's id, the nonce, the tag, and what was encrypted. */
function seal(keys: SealingKeys, text: string, place: Buffer): Buffer {
  const [key] = keys;
  invariant(key, "who keeps secrets has a key to seal them with");
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(place);
  const encrypted = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([keyIdOf(key), nonce, cipher.getAuthTag(), encrypted]);
}

function open(keys: SealingKeys, sealed: Uint8Array, place: Buffer): string {
  const bytes = Buffer.from(sealed);
  const key = keys.find((each) => keyIdOf(each).equals(bytes.subarray(0, keyIdBytes)));
  if (key === undefined) {
    throw new Error("a signing secret was sealed with a key that is not among WEBHOOK_SECRET_KEYS: add it");
  }
  const nonceEnd = keyIdBytes + nonceBytes;
  const tagEnd = nonceEnd + tagBytes;
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(keyIdBytes, nonceEnd))
    .setAAD(place)
    .setAuthTag(bytes.subarray(nonceEnd, tagEnd));
  return Buffer.concat([decipher.update(bytes.subarray(tagEnd)), decipher.final()]).toString("utf8");
}
