import type { Permission, Role } from "./permissions.ts";
import { rolesAllow, scopesAllow } from "./permissions.ts";

/** Who calls: a program by its key, a person by a session, or a customer by a token for their own pages. */
export type Caller = KeyCaller | PersonCaller | PortalCaller;

interface AnyCaller {
  readonly id: string;
  /** Who this is in the records of what they did. */
  readonly actor: string;
}

export interface KeyCaller extends AnyCaller {
  readonly kind: "api-key";
  readonly scopes: readonly string[];
}

export interface PersonCaller extends AnyCaller {
  readonly kind: "person";
  readonly name: string;
  readonly roles: readonly Role[];
  readonly sessionId: string;
  /** Goes with every write that the session's cookie lets in. */
  readonly csrfToken: string;
}

export interface PortalCaller extends AnyCaller {
  readonly kind: "portal";
  readonly customerId: string;
}

/** What lets a caller in, in the words of the trail. */
export function rightsOf(caller: Caller): readonly string[] {
  switch (caller.kind) {
    case "api-key":
      return caller.scopes;
    case "person":
      return caller.roles;
    default:
      return ["portal"];
  }
}

/** Whether the matrix allows it. Of tokens for customers' own pages it says nothing: their routes are listed. */
export const isAllowed = (caller: Caller, permission: Permission): boolean =>
  caller.kind === "api-key"
    ? scopesAllow(caller.scopes, permission)
    : caller.kind === "person" && rolesAllow(caller.roles, permission);
