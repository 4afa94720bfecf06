import { badParameter, missingParameter } from "../http/refusal.ts";
import type { Param, Params } from "./reader.ts";

/** Reading typed parameters. An empty string is Stripe's way to unset, so {@link text} gives `undefined` for it. */
export function text(params: Params, name: string): string | undefined {
  const value = params[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function requiredText(params: Params, name: string): string {
  const value = text(params, name);
  if (value === undefined) throw missingParameter(name);
  return value;
}

export function integer(params: Params, name: string): number | undefined {
  const value = params[name];
  return typeof value === "number" ? value : undefined;
}

export function flag(params: Params, name: string): boolean | undefined {
  const value = params[name];
  return typeof value === "boolean" ? value : undefined;
}

export function object(params: Params, name: string): Params | undefined {
  const value = params[name];
  return isParams(value) ? value : undefined;
}

export function list(params: Params, name: string): Param[] {
  const value = params[name];
  return Array.isArray(value) ? value : [];
}

export function objects(params: Params, name: string): Params[] {
  return list(params, name).filter(isParams);
}

export function texts(params: Params, name: string): string[] {
  return list(params, name).filter((item) => typeof item === "string");
}

export function isParams(value: Param | undefined): value is Params {
  return typeof value === "object" && !Array.isArray(value);
}

/** One of `allowed`, as the schema has checked already; `undefined` when it was not given. */
export function choice<Choice extends string>(
  params: Params,
  name: string,
  allowed: readonly Choice[],
): Choice | undefined {
  const value = text(params, name);
  if (value === undefined) return undefined;
  const chosen = allowed.find((each) => each === value);
  if (chosen === undefined) throw badParameter(`Invalid ${name}: must be one of ${allowed.join(", ")}`, name);
  return chosen;
}

/** The named text fields that were given: `""` becomes `null`, an absent one stays as it is. */
export function textChanges<Name extends string>(
  params: Params,
  names: readonly Name[],
): Partial<Record<Name, string | null>> {
  const changes: Partial<Record<Name, string | null>> = {};
  for (const name of names) if (name in params) changes[name] = text(params, name) ?? null;
  return changes;
}

const metadataKeysMax = 50;
const metadataKeyLengthMax = 40;
const metadataValueLengthMax = 500;

/** Metadata after a write: keys are merged, an empty value removes its key, an empty string removes all. */
export function mergedMetadata(
  params: Params,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const given = params.metadata;
  if (given === "") return {};
  const merged: Record<string, string> = { ...before };
  for (const [key, value] of Object.entries(isParams(given) ? given : {})) {
    checkMetadata(key, String(value));
    if (value === "") delete merged[key];
    else merged[key] = String(value);
  }
  if (Object.keys(merged).length > metadataKeysMax) {
    throw badParameter(`Metadata can have at most ${metadataKeysMax} keys`, "metadata");
  }
  return merged;
}

function checkMetadata(key: string, value: string): void {
  const param = `metadata[${key}]`;
  if (key.length > metadataKeyLengthMax) {
    throw badParameter(`Metadata keys must be at most ${metadataKeyLengthMax} characters`, param);
  }
  if (value.length > metadataValueLengthMax) {
    throw badParameter(`Metadata values must be at most ${metadataValueLengthMax} characters`, param);
  }
}
