import type { Param, Params } from "../schema/reader.ts";
import { badParameter } from "./refusal.ts";

/** Throws for a parameter that Stripe has and the stand-in does not act on. `expand` is always honoured. */
export function refuseUnsupported(params: Params, honours: readonly string[]): void {
  check(params, new Set(["expand", ...honours]), "");
}

function check(params: Params, honours: ReadonlySet<string>, prefix: string): void {
  for (const [name, value] of Object.entries(params)) {
    const path = `${prefix}${name}`;
    const isPartlyHonoured = [...honours].some((honoured) => honoured.startsWith(`${path}.`));
    if (isPartlyHonoured) for (const inner of objectsIn(value)) check(inner, honours, `${path}.`);
    else if (!honours.has(path)) throw unsupported(path);
  }
}

function objectsIn(value: Param): Params[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  return typeof value === "object" ? [value] : [];
}

function unsupported(param: string) {
  const message = `The stand-in does not implement the parameter ${param}; Stripe does.`;
  return badParameter(message, param, "sandbox_parameter_unsupported");
}
