import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 62⁴³ is the first power of 62 above 2²⁵⁶, and 62⁶ the first above 2³². */
const randomDigits = 43;
const checksumDigits = 6;
const prefixLength = 11;

/** A new secret: `rk_`, 256 random bits and their checksum, by which scanners and clients tell a real key from a typo. */
export function newApiKeySecret(): string {
  const random = base62(BigInt(`0x${randomBytes(32).toString("hex")}`), randomDigits);
  return `rk_${random}${checksumOf(random)}`;
}

/** False for a text that looks like one of our keys and was mistyped or cut off. Keys that someone made up pass. */
export function isWellFormed(secret: string): boolean {
  if (!/^rk_[0-9A-Za-z]{49}$/.test(secret)) return true;
  return secret.endsWith(checksumOf(secret.slice(3, 3 + randomDigits)));
}

/** What may be shown of a secret, and what its row is found by. */
export const prefixOf = (secret: string) => secret.slice(0, prefixLength);

export const hashOf = (secret: string) => createHash("sha256").update(secret).digest();

/** Compares in constant time. */
export const hasHash = (secret: string, hash: Uint8Array) => timingSafeEqual(hashOf(secret), hash);

const checksumOf = (text: string) => base62(BigInt(crc32(text)), checksumDigits);

function base62(value: bigint, length: number): string {
  let text = "";
  for (let rest = value; text.length < length; rest /= 62n) text = digits[Number(rest % 62n)] + text;
  return text;
}
