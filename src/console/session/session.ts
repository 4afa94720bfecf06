import { useSyncExternalStore } from "react";

// The tab's own storage: gone when the tab closes, and never sent by itself as a cookie is.
const storageKey = "reckoner.api-key";
const listeners = new Set<() => void>();

/** Stands for a key where a person has signed in: a cookie goes along by itself, and only the token is ours to send. */
const personMark = "person";
let csrfToken: string | undefined;
/** Who signs out and in again at once must not meet the session that is on its way out. */
let ending: Promise<unknown> = Promise.resolve();

/** Why the last session ended, for the sign-in page. */
let endedBecause: string | undefined;

/** After a reload the token is not known any more: the browser's session is asked again. */
export function currentKey(): string | null {
  const key = sessionStorage.getItem(storageKey);
  return key === personMark && csrfToken === undefined ? null : key;
}

export const signOutReason = (): string | undefined => endedBecause;

export function signIn(key: string): void {
  endedBecause = undefined;
  sessionStorage.setItem(storageKey, key.trim());
  tellListeners();
}

/** Goes on with the session that the browser has, where somebody has signed in. Gives whether it has one. */
export async function resumeSession(): Promise<boolean> {
  await ending;
  const answer = await fetch("/v1/session").catch(() => undefined);
  if (answer?.ok !== true) return false;
  const session: { readonly csrf_token: string | null } = await answer.json();
  if (session.csrf_token === null) return false;
  csrfToken = session.csrf_token;
  signIn(personMark);
  return true;
}

/** What a request carries beside the cookie. */
export function callHeaders(key = currentKey() ?? ""): Record<string, string> {
  return key === personMark ? { "x-csrf-token": csrfToken ?? "" } : { authorization: `Bearer ${key}` };
}

/** The same for the SDK. */
export const credentialsOf = (key: string): { readonly apiKey?: string; readonly csrfToken?: string } =>
  key === personMark ? { csrfToken: csrfToken ?? "" } : { apiKey: key };

export function signOut(reason?: string): void {
  if (currentKey() === personMark) {
    ending = fetch("/v1/session", { method: "DELETE", headers: callHeaders() }).catch(() => {});
    csrfToken = undefined;
  }
  endedBecause = reason;
  sessionStorage.removeItem(storageKey);
  tellListeners();
}

/**
 * Signs in with the key of a link such as /console/#key=rk_…, and takes it out of the address and the tab's history,
 * so that it is neither bookmarked nor shared. A fragment is never sent to a server.
 */
export function takeKeyFromAddress(): void {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const key = fragment.get("key");
  if (key === null) return;
  history.replaceState(history.state, "", location.pathname + location.search);
  if (key !== "") signIn(key);
}

/** The key in use, for components: they render anew when it changes. */
export const useKey = (): string | null => useSyncExternalStore(subscribe, currentKey);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const tellListeners = () => {
  for (const listener of listeners) listener();
};
