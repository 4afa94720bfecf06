import type { Role } from "../../../src/api/access/permissions.ts";
import type { Answer, RunningApi } from "./running-api.ts";

/** Somebody who has signed in, and asks as a browser does. */
export interface SignedIn {
  readonly cookie: string;
  readonly csrfToken: string;
  readonly actor: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

/** Signs in with the password for development. */
export async function signIn(api: RunningApi, role: Role): Promise<SignedIn> {
  const body = { role, password: "a password for tests" };
  const answer = await api.call("POST", "/auth/local", body, { key: null });
  const [cookie = ""] = (answer.headers.get("set-cookie") ?? "").split(";");
  const { body: session } = await api.call("GET", "/v1/session", undefined, {
    key: null,
    headers: { cookie },
  });
  const csrfToken: string = session.csrf_token;
  return {
    cookie,
    csrfToken,
    actor: session.actor,
    call: (method, path, said, headers = {}) =>
      api.call(method, path, said, { key: null, headers: { cookie, "x-csrf-token": csrfToken, ...headers } }),
  };
}
