import { inject } from "vitest";
import type { RolePasswords } from "../../src/sandbox/local-services/postgres-roles.ts";

/** What a run's test files share. Each is started when the first file asks for it, and by the one process that ends it. */
export interface SharedServers {
  readonly postgres: {
    /** The superuser's connection string. */
    readonly adminUrl: string;
    /** A migrated database to copy; nobody connects to it. */
    readonly template: string;
    readonly passwords: RolePasswords;
  };
  readonly temporal: { readonly address: string };
  /** The file that holds the workflows' code, bundled once. */
  readonly workflowBundle: { readonly codePath: string };
  /** The folder of the console as it is deployed, built once. */
  readonly console: { readonly folder: string };
}

declare module "vitest" {
  export interface ProvidedContext {
    /** Where to ask for shared servers. */
    readonly sharedServersUrl: string;
  }
}

/** Asks the run's main process for a shared server, which takes seconds the first time and nothing later. */
export async function sharedServer<Name extends keyof SharedServers>(
  name: Name,
): Promise<SharedServers[Name]> {
  const response = await fetch(new URL(name, inject("sharedServersUrl")));
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as SharedServers[Name];
}
