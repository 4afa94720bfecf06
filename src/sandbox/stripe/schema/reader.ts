import type { FormTree, FormValue } from "../http/form.ts";
import { badParameter, StripeRefusal } from "../http/refusal.ts";

/** A parameter after its schema gave it a type. */
export type Param = string | number | boolean | Param[] | Params;
export type Params = { [name: string]: Param };

/** The keywords that Stripe's specification uses for requests. */
export type RequestSchema = {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly maxLength?: number;
  readonly anyOf?: readonly RequestSchema[];
  readonly properties?: Readonly<Record<string, RequestSchema>>;
  readonly required?: readonly string[];
  readonly items?: RequestSchema;
  readonly additionalProperties?: boolean | RequestSchema;
  readonly "x-stripeBypassValidation"?: boolean;
};

/** Turns a decoded form value into a typed parameter, or throws a Stripe refusal that names `param`. */
export type Reader = (value: FormValue, param: string) => Param;

/** Compiles one schema. What the schema does not allow, the reader refuses. */
export function compileReader(schema: RequestSchema): Reader {
  if (schema.anyOf !== undefined) return readAlternatives(schema.anyOf);
  switch (schema.type) {
    case "object":
      return readObject(schema);
    case "array":
      return readArray(schema);
    case "integer":
      return readInteger;
    case "number":
      return readNumber;
    case "boolean":
      return readBoolean;
    default:
      return readString(schema);
  }
}

/** Compiles the schema of a whole body or query. */
export function compileParameters(schema: RequestSchema): (form: FormTree) => Params {
  const read = readObject(schema);
  return (form) => read(form, "") as Params;
}

function readObject(schema: RequestSchema): Reader {
  const readers = new Map<string, Reader>();
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    readers.set(name, compileReader(property));
  }
  const free = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  const readOther = free && compileReader(free);
  return (value, param) => {
    if (typeof value === "string") throw badParameter(`Invalid object`, param);
    const params: Params = Object.create(null);
    const unknown: string[] = [];
    for (const [name, inner] of Object.entries(value)) {
      const read = readers.get(name) ?? readOther;
      if (read) params[name] = read(inner, nested(param, name));
      else unknown.push(nested(param, name));
    }
    refuseUnknown(unknown);
    for (const name of schema.required ?? []) {
      if (!(name in params))
        throw badParameter(missing(nested(param, name)), nested(param, name), "parameter_missing");
    }
    return params;
  };
}

function missing(param: string): string {
  return `Missing required param: ${param}.`;
}

function refuseUnknown(unknown: readonly string[]): void {
  const [first] = unknown;
  if (first === undefined) return;
  const plural = unknown.length > 1 ? "s" : "";
  throw badParameter(
    `Received unknown parameter${plural}: ${unknown.join(", ")}`,
    first,
    "parameter_unknown",
  );
}

function nested(parent: string, name: string): string {
  return parent === "" ? name : `${parent}[${name}]`;
}

function readArray(schema: RequestSchema): Reader {
  const readItem = compileReader(schema.items ?? {});
  return (value, param) => {
    if (typeof value === "string") throw badParameter("Invalid array", param);
    const indexes = Object.keys(value).map(Number);
    if (indexes.some((index) => !Number.isSafeInteger(index) || index < 0))
      throw badParameter("Invalid array", param);
    return indexes
      .toSorted((a, b) => a - b)
      .map((index) => readItem(value[index] ?? "", `${param}[${index}]`));
  };
}

function readInteger(value: FormValue, param: string): Param {
  const isInteger = typeof value === "string" && /^-?\d{1,15}$/.test(value);
  if (!isInteger) throw badParameter(`Invalid integer: ${shown(value)}`, param, "parameter_invalid_integer");
  return Number(value);
}

function readNumber(value: FormValue, param: string): Param {
  const isNumber = typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value);
  if (!isNumber) throw badParameter(`Invalid number: ${shown(value)}`, param);
  return Number(value);
}

function readBoolean(value: FormValue, param: string): Param {
  if (value !== "true" && value !== "false") throw badParameter(`Invalid boolean: ${shown(value)}`, param);
  return value === "true";
}

function readString(schema: RequestSchema): Reader {
  const allowed = schema["x-stripeBypassValidation"] ? undefined : schema.enum;
  return (value, param) => {
    if (typeof value !== "string") throw badParameter("Invalid string", param);
    if (allowed && !allowed.includes(value)) {
      throw badParameter(`Invalid ${param}: must be one of ${allowed.join(", ")}`, param);
    }
    if (schema.maxLength !== undefined && value.length > schema.maxLength) {
      const message = `Invalid string: ${value.slice(0, 20)}…; must be at most ${schema.maxLength} characters`;
      throw badParameter(message, param);
    }
    if (schema.format === "decimal" && !/^-?\d+(\.\d{1,12})?$/.test(value)) {
      throw badParameter(
        `Invalid decimal: ${value}; must have at most 12 decimal places`,
        param,
        "parameter_invalid_decimal",
      );
    }
    return value;
  };
}

/** Among the alternatives of the value's shape the first that takes it wins; when none does, the last complains. */
function readAlternatives(alternatives: readonly RequestSchema[]): Reader {
  const mayBeUnset = alternatives.some(isUnset);
  const valued = alternatives
    .filter((schema) => !isUnset(schema))
    .toSorted((a, b) => openness(a) - openness(b));
  const readers = valued.map((schema) => ({ read: compileReader(schema), takesText: !isNested(schema) }));
  return (value, param) => {
    if (value === "" && mayBeUnset) return "";
    const fitting = readers.filter(({ takesText }) => takesText === (typeof value === "string"));
    const [last, ...others] = (fitting.length > 0 ? fitting : readers).toReversed();
    for (const { read } of others.toReversed()) {
      try {
        return read(value, param);
      } catch (error) {
        if (!(error instanceof StripeRefusal)) throw error;
      }
    }
    return last ? last.read(value, param) : "";
  };
}

/** Stripe's way to say that a parameter may be emptied. */
function isUnset(schema: RequestSchema): boolean {
  return schema.enum?.length === 1 && schema.enum[0] === "";
}

function isNested({ type }: RequestSchema): boolean {
  return type === "object" || type === "array";
}

/** A plain string takes anything, so it is tried last. */
function openness(schema: RequestSchema): number {
  return schema.type === "string" && schema.enum === undefined ? 1 : 0;
}

function shown(value: FormValue): string {
  return typeof value === "string" ? value : "an object";
}
