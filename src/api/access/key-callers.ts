import { type ApiKey, apiKeysByPrefix, touchApiKey } from "../../db/access.ts";
import { hasHash, isWellFormed, prefixOf } from "../api-key-secret.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { RequestRefusedError } from "../refusals.ts";
import { sharedLookup } from "../shared-read.ts";
import type { KeyCaller } from "./caller.ts";

/** How exactly it is known when a key was last used. */
const usedMsMin = 60_000;

type KeyReader = (secret: string, options: { readonly rememberedMs: number }) => Promise<KeyCaller>;

/** Finds the key behind a secret; for as long as a route allows, without asking the database again. */
export function keyCallers({ db, now }: Pick<ApiDependencies, "db" | "now">): KeyReader {
  const keysByPrefix = sharedLookup((prefixes: readonly string[]) => apiKeysByPrefix(db.orm, prefixes));
  const remembered = new Map<
    string,
    { readonly keys: readonly ApiKey[] | undefined; readonly readAt: number }
  >();
  const rememberedFor = async (prefix: string, ms: number) => {
    const known = remembered.get(prefix);
    if (known !== undefined && performance.now() - known.readAt < ms) return known.keys;
    const readAt = performance.now();
    const keys = await keysByPrefix(prefix);
    // Those of keys that there are not would never go.
    if (keys !== undefined && keys.length > 0) remembered.set(prefix, { keys, readAt });
    return keys;
  };
  const touched = new Map<string, number>();
  const touch = (id: string): void => {
    const at = now();
    if (at - (touched.get(id) ?? Number.NEGATIVE_INFINITY) < usedMsMin) return;
    touched.set(id, at);
    // Nobody waits for it, and nobody is refused because it failed: the next request after a minute says it again.
    touchApiKey(db.orm, id, at).catch(() => {});
  };
  return async (secret, { rememberedMs }) => {
    const prefix = prefixOf(secret);
    const read = () => (rememberedMs === 0 ? keysByPrefix(prefix) : rememberedFor(prefix, rememberedMs));
    const candidates = isWellFormed(secret) ? await read() : [];
    const key = candidates?.find(({ secretHash }) => hasHash(secret, secretHash));
    if (key === undefined) {
      throw refused("api_key_invalid", "this API key does not exist: check that all of it was copied");
    }
    if (key.revokedAt !== null) throw refused("api_key_revoked", "this API key was revoked: use another one");
    if (key.expiresAt !== null && key.expiresAt <= now()) {
      throw refused("api_key_expired", "this API key has expired: use another one");
    }
    touch(key.id);
    return { kind: "api-key", id: key.id, actor: `api-key/${key.id}`, scopes: key.scopes };
  };
}

const refused = (code: string, message: string) => new RequestRefusedError(code, message);
