import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** The random text of a cookie or a token: 256 bits, of which the database keeps a hash alone. */
export const newSecret = (): string => randomBytes(32).toString("base64url");

export const secretHashOf = (secret: string): Buffer => createHash("sha256").update(secret).digest();

/** Follows from the session's secret, which scripts cannot read, and says nothing about it. */
export const csrfTokenOf = (secret: string): string =>
  createHash("sha256").update(`csrf/${secret}`).digest("base64url");

/** Compares in constant time. */
export const isSame = (one: string, other: string): boolean =>
  timingSafeEqual(secretHashOf(one), secretHashOf(other));
