import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Payload, PayloadCodec } from "@temporalio/common";
import proto from "@temporalio/proto";

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

/** A key that payloads are encrypted with: 32 bytes, and the id by which what it encrypted names it. */
export interface PayloadKey {
  readonly id: string;
  readonly secret: Buffer;
}

/** A payload names a key that this process was not given. It is told again and again until the key is there. */
export class PayloadKeyUnknownError extends Error {
  override readonly name = "PayloadKeyUnknownError";
  readonly keyId: string;

  constructor(keyId: string, known: readonly string[]) {
    const have = known.length === 0 ? "none is known here" : `known here are ${known.join(", ")}`;
    super(`a payload is encrypted with the key "${keyId}", and ${have}: add it to TEMPORAL_PAYLOAD_KEYS`);
    this.keyId = keyId;
  }
}

const cipher = "aes-256-gcm";
const ivBytes = 12;
const tagBytes = 16;
const metadataOf = (keyId: string) => ({
  encoding: Buffer.from("binary/encrypted"),
  "encryption-cipher": Buffer.from("AES-256-GCM"),
  "encryption-key-id": Buffer.from(keyId),
});

/**
 * Encrypts payloads with AES-256-GCM under the first key, and decrypts them under whichever they name. What came in plain
 * stays plain, so that encryption can be switched on under running workflows. Data: 12 bytes of nonce, 16 of tag, and the
 * encrypted `temporal.api.common.v1.Payload`; the key's id is authenticated with it.
 */
export function payloadCodec(keys: readonly PayloadKey[]): PayloadCodec {
  const secrets = new Map(keys.map(({ id, secret }) => [id, secret]));
  const [active] = keys;
  return {
    encode: async (payloads) =>
      active === undefined ? payloads : payloads.map((payload) => encrypted(payload, active)),
    decode: async (payloads) => payloads.map((payload) => decrypted(payload, secrets)),
  };
}

function encrypted(payload: Payload, { id, secret }: PayloadKey): Payload {
  const nonce = randomBytes(ivBytes);
  const encryption = createCipheriv(cipher, secret, nonce).setAAD(Buffer.from(id));
  const plain = PayloadMessage.encode(payload).finish();
  const text = Buffer.concat([encryption.update(plain), encryption.final()]);
  return { metadata: metadataOf(id), data: Buffer.concat([nonce, encryption.getAuthTag(), text]) };
}

function decrypted(payload: Payload, secrets: ReadonlyMap<string, Buffer>): Payload {
  const { metadata = {}, data } = payload;
  if (textOf(metadata?.encoding) !== "binary/encrypted") return payload;
  const keyId = textOf(metadata?.["encryption-key-id"]);
  const secret = secrets.get(keyId);
  if (secret === undefined) throw new PayloadKeyUnknownError(keyId, [...secrets.keys()]);
  const bytes = Buffer.from(data ?? []);
  const nonce = bytes.subarray(0, ivBytes);
  const decryption = createDecipheriv(cipher, secret, nonce, { authTagLength: tagBytes })
    .setAAD(Buffer.from(keyId))
    .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  const plain = Buffer.concat([decryption.update(bytes.subarray(ivBytes + tagBytes)), decryption.final()]);
  const { metadata: inner, data: content } = PayloadMessage.decode(plain);
  return { metadata: inner, data: content };
}

const textOf = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString();
