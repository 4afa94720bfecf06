import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "../reads/operation-queries.ts";

/** What whoever is signed in may do. As long as that is not known, nothing is offered. */
export interface Rights {
  /** As it stands in records: `person/{id}`, `api-key/{id}`. */
  readonly actor: string | null;
  /** To change something, and to agree to something that others ask for; the API says what, by resource. */
  readonly mayWrite: boolean;
  readonly mayApprove: boolean;
  /** A cell of the matrix of roles, as in `invoices:write`. */
  readonly may: (cell: string) => boolean;
}

export function useRights(): Rights {
  const { data: session } = useQuery(sessionQuery());
  const allowed = session?.allowed ?? [];
  const someOf = (verb: string) => allowed.some((cell) => cell.endsWith(`:${verb}`));
  return {
    actor: session?.actor ?? null,
    mayWrite: someOf("write"),
    mayApprove: someOf("approve"),
    may: (cell) => allowed.includes(cell),
  };
}
