import { canonicalJson, type JsonValue } from "../metering/index.ts";

/**
 * One thing that is not the same in two definitions. `path` leads to it: parts of a list are named by their key where they
 * have one, `prices[tokens].model.tiers[1].up_to`. reordered: the same parts in another order; before and after are their keys.
 */
export type Difference = {
  readonly path: string;
  readonly change: "added" | "removed" | "changed" | "reordered";
  /** Null for what was added. */
  readonly before: JsonValue;
  /** Null for what was removed. */
  readonly after: JsonValue;
};

type JsonObject = { readonly [name: string]: JsonValue };
type Keyed = JsonObject & { readonly key: string };

/** All that differs between two definitions, in the order in which the later one writes it; none when they say the same. */
export function differencesBetween(before: JsonValue, after: JsonValue, path = ""): Difference[] {
  if (canonicalJson(before) === canonicalJson(after)) return [];
  if (isObject(before) && isObject(after)) return inObjects(before, after, path);
  if (isList(before) && isList(after)) {
    if (areKeyed(before) && areKeyed(after)) return inKeyedLists(before, after, path);
    if (before.every(isObject) && after.every(isObject)) return inRows(before, after, path);
  }
  return [{ path, change: "changed", before, after }];
}

function inObjects(before: JsonObject, after: JsonObject, path: string): Difference[] {
  const names = new Set([...Object.keys(after), ...Object.keys(before)]);
  return [...names].flatMap((name) =>
    ofPart(before[name], after[name], path === "" ? name : `${path}.${name}`),
  );
}

/** Parts with keys are compared with their namesakes, wherever these stand. */
function inKeyedLists(before: readonly Keyed[], after: readonly Keyed[], path: string): Difference[] {
  const old = new Map(before.map((part) => [part.key, part]));
  const kept = new Map(after.map((part) => [part.key, part]));
  const parts = [...new Set([...kept.keys(), ...old.keys()])].flatMap((key) =>
    ofPart(old.get(key), kept.get(key), `${path}[${key}]`),
  );
  const order = [...kept.keys()].filter((key) => old.has(key));
  const orderBefore = [...old.keys()].filter((key) => kept.has(key));
  if (order.join() === orderBefore.join()) return parts;
  return [...parts, { path, change: "reordered", before: orderBefore, after: order }];
}

function inRows(before: readonly JsonObject[], after: readonly JsonObject[], path: string): Difference[] {
  const length = Math.max(before.length, after.length);
  return Array.from({ length }, (_, index) =>
    ofPart(before[index], after[index], `${path}[${index}]`),
  ).flat();
}

function ofPart(before: JsonValue | undefined, after: JsonValue | undefined, path: string): Difference[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ path, change: "added", before: null, after: after ?? null }];
  if (after === undefined) return [{ path, change: "removed", before, after: null }];
  return differencesBetween(before, after, path);
}

// Array.isArray does not narrow readonly arrays.
const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === "object" && value !== null && !isList(value);

const areKeyed = (parts: readonly JsonValue[]): parts is readonly Keyed[] =>
  parts.every((part) => isObject(part) && typeof part.key === "string");
