import { useQuery } from "@tanstack/react-query";
import { ownKeyQuery } from "../reads/operation-queries.ts";

/** What the session's key may do. As long as that is not known, nothing is offered. */
export interface Rights {
  /** As it stands in records: `api-key/{id}`. */
  readonly actor: string | null;
  readonly mayWrite: boolean;
  readonly mayApprove: boolean;
}

export function useRights(): Rights {
  const { data: key } = useQuery(ownKeyQuery());
  const may = (...scopes: readonly string[]) => key?.scopes.some((scope) => scopes.includes(scope)) ?? false;
  return {
    actor: key === undefined ? null : `api-key/${key.id}`,
    mayWrite: may("write", "admin"),
    mayApprove: may("approve"),
  };
}
