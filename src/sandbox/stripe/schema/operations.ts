import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FormTree } from "../http/form.ts";
import { withEndive } from "./endive.ts";
import { compileParameters, type Params, type RequestSchema } from "./reader.ts";
import { secondVersion } from "./second-version.ts";

export type OperationSchemas = { readonly query: RequestSchema; readonly body: RequestSchema };

/** Types and checks the parameters of one operation, or throws a Stripe refusal. */
export type ParameterReader = (form: FormTree) => Params;

const specPath = join(import.meta.dirname, "..", "spec", "requests.json");

/** Parameter readers by operation, `"POST /v1/invoices"`, compiled from the vendored specification. */
export function compileOperations(): ReadonlyMap<string, ParameterReader> {
  const spec: { operations: Record<string, OperationSchemas> } = JSON.parse(readFileSync(specPath, "utf8"));
  const readers = new Map<string, ParameterReader>();
  for (const [name, schemas] of Object.entries({ ...spec.operations, ...secondVersion })) {
    const current = withEndive(name, schemas);
    const reader = compileParameters(name.startsWith("GET ") ? current.query : current.body);
    readers.set(name, reader);
  }
  return readers;
}
