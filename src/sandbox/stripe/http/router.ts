import { routes } from "../resources/index.ts";
import { compileOperations, type ParameterReader } from "../schema/operations.ts";
import { unrecognizedUrl } from "./refusal.ts";
import type { Route } from "./route.ts";

export type MatchedRoute = {
  readonly route: Route;
  readonly read: ParameterReader;
  readonly ids: Readonly<Record<string, string>>;
};

type CompiledRoute = { readonly route: Route; readonly read: ParameterReader; readonly pattern: RegExp };

const compiled: readonly CompiledRoute[] = compileRoutes();

function compileRoutes(): CompiledRoute[] {
  const readers = compileOperations();
  return routes.map((route) => {
    const read = readers.get(route.operation);
    if (read === undefined) throw new Error(`${route.operation} is not in spec/operations.txt`);
    const pattern = new RegExp(`^${route.operation.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`);
    return { route, read, pattern };
  });
}

/** The operation of a request, or Stripe's 404 for an unrecognized URL. */
export function matchRoute(method: string, path: string): MatchedRoute {
  for (const { route, read, pattern } of compiled) {
    const match = pattern.exec(`${method} ${path}`);
    if (match) return { route, read, ids: { ...match.groups } };
  }
  throw unrecognizedUrl(method, path);
}
