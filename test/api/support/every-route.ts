import type { RunningApi } from "./running-api.ts";

/** A route of the API's own document. */
export interface DocumentedRoute {
  readonly method: string;
  /** With names in braces, as in `/v1/customers/{id}`. */
  readonly path: string;
  /** The cell of the matrix; undefined for those that are for anybody. */
  readonly permission: string | undefined;
  readonly isPublic: boolean;
  readonly isKeyed: boolean;
}

interface Operation {
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly name: string }[];
  readonly "x-permission"?: string;
}

/** Every route below /v1, as the running API tells it. */
export async function everyRoute(api: RunningApi): Promise<DocumentedRoute[]> {
  const { body } = await api.call("GET", "/openapi.json", undefined, { key: null });
  const paths = Object.entries<Record<string, Operation>>(body.paths);
  return paths
    .filter(([path]) => path.startsWith("/v1/"))
    .flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        permission: operation["x-permission"],
        isPublic: operation.security === undefined,
        isKeyed: (operation.parameters ?? []).some(({ name }) => name === "Idempotency-Key"),
      })),
    );
}

/** The path with something in the place of each name. */
export const filled = (path: string, value: (name: string) => string): string =>
  path.replace(/\{([^}]+)\}/g, (_braces, name: string) => encodeURIComponent(value(name)));
