/**
 * Makes `requests.json` and `replies.json` from Stripe's OpenAPI specification:
 *
 *     node src/sandbox/stripe/spec/extract.ts path/to/spec3.json
 *
 * `spec3.json` is embedded in the stripe-mock Go module (`embedded/openapi/spec3.json`, MIT, see LICENSE).
 * `operations.txt` names the operations to keep; descriptions are dropped.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type JsonObject = { [key: string]: Json };

const droppedKeywords = new Set(["description", "title", "deprecated", "x-resourceId"]);

/** A schema without prose; an expandable reference becomes "an id or an object", which ends the closure there. */
function prune(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(prune);
  if (schema === null || typeof schema !== "object") return schema;
  if ("x-expansionResources" in schema) {
    const nullable = schema["nullable"] === true ? { nullable: true } : {};
    return { anyOf: [{ type: "string" }, { type: "object" }], ...nullable };
  }
  const kept = Object.entries(schema).filter(([keyword, value]) => !isProse(keyword, value));
  return Object.fromEntries(kept.map(([keyword, value]) => [keyword, prune(value)]));
}

/** `properties` may hold a property that is itself called "description" or "title": its value is a schema. */
function isProse(keyword: string, value: Json): boolean {
  const isSchema = value !== null && typeof value === "object" && !Array.isArray(value);
  return droppedKeywords.has(keyword) && !isSchema;
}

function object(value: Json | undefined): JsonObject {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return {};
  return value;
}

function dig(value: Json, ...keys: string[]): JsonObject {
  return object(keys.reduce<Json>((inner, key) => object(inner)[key] ?? {}, value));
}

/** The request side of one operation: one schema for its query parameters and one for its form body. */
function requestOf(operation: JsonObject): JsonObject {
  const parameters = Array.isArray(operation["parameters"]) ? operation["parameters"].map(object) : [];
  const query = parameters.filter((parameter) => parameter["in"] === "query");
  const body = dig(operation, "requestBody", "content", "application/x-www-form-urlencoded", "schema");
  return {
    query: {
      type: "object",
      properties: Object.fromEntries(query.map(({ name, schema }) => [String(name), prune(schema ?? {})])),
      required: query.filter(({ required }) => required === true).map(({ name }) => name ?? ""),
    },
    body: prune(body),
  };
}

function references(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(references);
  if (value === null || typeof value !== "object") return [];
  const own = typeof value["$ref"] === "string" ? [value["$ref"].split("/").at(-1) ?? ""] : [];
  return [...own, ...Object.values(value).flatMap(references)];
}

const [specPath] = process.argv.slice(2);
if (specPath === undefined) throw new Error("usage: node extract.ts path/to/spec3.json");
const spec: JsonObject = object(JSON.parse(readFileSync(specPath, "utf8")));
const operations = readFileSync(join(import.meta.dirname, "operations.txt"), "utf8").trim().split("\n");

const requests: JsonObject = {};
const replies: JsonObject = {};
for (const name of operations) {
  const [method = "", path = ""] = name.split(" ");
  const operation = dig(spec, "paths", path, method.toLowerCase());
  requests[name] = requestOf(operation);
  replies[name] = prune(dig(operation, "responses", "200", "content", "application/json", "schema"));
}

const components = dig(spec, "components", "schemas");
const kept: JsonObject = {};
const pending = [...references(replies), "event", "line_item"];
for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
  if (name in kept) continue;
  kept[name] = prune(components[name] ?? {});
  pending.push(...references(kept[name] ?? null));
}

const version = object(spec["info"])["version"] ?? "";
writeFileSync(join(import.meta.dirname, "requests.json"), `${JSON.stringify({ version, operations: requests })}\n`);
writeFileSync(
  join(import.meta.dirname, "replies.json"),
  `${JSON.stringify({ version, operations: replies, schemas: kept })}\n`,
);
