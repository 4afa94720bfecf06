import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One object of the reply side of the specification. */
export type ReplyNode = {
  readonly $ref?: string;
  readonly anyOf?: readonly ReplyNode[];
  readonly nullable?: boolean;
  readonly properties?: Readonly<Record<string, ReplyNode>>;
  readonly "x-expandableFields"?: readonly string[];
};

const specPath = join(import.meta.dirname, "..", "spec", "replies.json");
const spec: { schemas: Record<string, ReplyNode> } = JSON.parse(readFileSync(specPath, "utf8"));

/** Stripe sends these only when they are asked for, although the specification calls them nullable. */
const onRequestOnly = new Set(["cash_balance", "confirmation_secret", "discount", "payments", "refunds"]);

const defaultsByKind = new Map<string, Record<string, null>>();

/** Every nullable field of an object kind as `null`: what Stripe sends for a field that was never set. */
export function nullDefaults(kind: string): Record<string, null> {
  const known = defaultsByKind.get(kind);
  if (known) return known;
  const properties = Object.entries(nodeOf(kind)?.properties ?? {});
  const nullable = properties.filter(([name, node]) => node.nullable === true && !onRequestOnly.has(name));
  const defaults = Object.fromEntries(nullable.map(([name]) => [name, null]));
  defaultsByKind.set(kind, defaults);
  return defaults;
}

/** The specification of an object kind, by the name objects carry in `object`. */
export function nodeOf(kind: string): ReplyNode | undefined {
  return spec.schemas[kind];
}

/** The specification of what a field holds when that is a plain hash without a kind of its own. */
export function nodeOfField(node: ReplyNode, field: string): ReplyNode | undefined {
  const property = node.properties?.[field];
  const target = property?.anyOf?.find(({ $ref }) => $ref !== undefined) ?? property;
  const name = target?.$ref?.split("/").at(-1);
  return name === undefined ? target : nodeOf(name);
}
