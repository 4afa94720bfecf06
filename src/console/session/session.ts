import { useSyncExternalStore } from "react";

// The tab's own storage: gone when the tab closes, and never sent by itself as a cookie is.
const storageKey = "reckoner.api-key";
const listeners = new Set<() => void>();

/** Why the last session ended, for the sign-in page. */
let endedBecause: string | undefined;

export const currentKey = (): string | null => sessionStorage.getItem(storageKey);

export const signOutReason = (): string | undefined => endedBecause;

export function signIn(key: string): void {
  endedBecause = undefined;
  sessionStorage.setItem(storageKey, key.trim());
  tellListeners();
}

export function signOut(reason?: string): void {
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
