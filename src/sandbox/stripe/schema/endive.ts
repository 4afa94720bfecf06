import type { OperationSchemas } from "./operations.ts";
import type { RequestSchema } from "./reader.ts";

/** The version the SDK pins. The vendored specification is one release older. */
export const apiVersion = "2026-10-28.endive";

const emptyableStrings: RequestSchema = {
  anyOf: [
    { type: "array", items: { type: "string" } },
    { enum: [""], type: "string" },
  ],
};

/**
 * What `endive` changed against the vendored specification, read from the SDK's types:
 * intents lost `payment_method_types` in favour of an allowed and an excluded list.
 */
export function withEndive(operation: string, schemas: OperationSchemas): OperationSchemas {
  const isIntentWrite =
    /^POST \/v1\/(payment|setup)_intents/.test(operation) && !operation.endsWith("/cancel");
  if (isIntentWrite) {
    const { payment_method_types: _gone, ...kept } = schemas.body.properties ?? {};
    const properties = { ...kept, allowed_payment_method_types: emptyableStrings };
    return { ...schemas, body: { ...schemas.body, properties } };
  }
  if (operation === "POST /v1/webhook_endpoints") {
    const properties = { ...schemas.body.properties, api_version: { type: "string", enum: [apiVersion] } };
    return { ...schemas, body: { ...schemas.body, properties } };
  }
  return schemas;
}
