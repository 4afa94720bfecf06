/** How deep lists and objects in an event's data may be nested. */
const depthMax = 8;

export interface DataFault {
  readonly field: string | undefined;
  readonly detail: string;
}

/**
 * What the API would refuse in an event's data, or JSON would change without a word: NaN becomes null in it, and a Map an
 * empty object, and then the wrong quantity is billed.
 */
export function faultOfData(data: unknown): DataFault | undefined {
  if (!isPlainObject(data)) return { field: "data", detail: "data must be a plain object" };
  return faultOfMembers(data, "data", depthMax);
}

/** PostgreSQL's text holds neither NUL nor half a surrogate pair. */
export function isStorableText(text: string): boolean {
  return !text.includes("\u0000") && text.isWellFormed();
}

function faultOfMembers(
  members: Readonly<Record<string, unknown>>,
  field: string,
  depthLeft: number,
): DataFault | undefined {
  for (const name in members) {
    if (!isStorableText(name)) return { field, detail: `a name in ${field} is not valid text` };
    const value = members[name];
    // The common case first, without making a text of the field: this runs for every event a service reports.
    if (typeof value === "number" ? Number.isFinite(value) : value === undefined) continue;
    const fault = faultOfValue(value, () => `${field}.${name}`, depthLeft - 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOfValue(value: unknown, field: () => string, depthLeft: number): DataFault | undefined {
  switch (typeof value) {
    case "string":
      if (isStorableText(value)) return undefined;
      return { field: field(), detail: `${field()} contains a character that is not valid text` };
    case "boolean":
      return undefined;
    case "number":
      if (Number.isFinite(value)) return undefined;
      return { field: field(), detail: `${field()} must be a finite number` };
    case "object":
      return value === null ? undefined : faultOfNested(value, field(), depthLeft);
    default:
      return { field: field(), detail: `${field()} is a ${typeof value}, which JSON cannot hold` };
  }
}

function faultOfNested(value: object, field: string, depthLeft: number): DataFault | undefined {
  if (depthLeft === 0) return { field, detail: `data must not be nested deeper than ${depthMax} levels` };
  if (!Array.isArray(value)) {
    if (isPlainObject(value)) return faultOfMembers(value, field, depthLeft);
    return { field, detail: `${field} is not JSON: write it as text, a number or a plain object` };
  }
  for (const [index, item] of value.entries()) {
    const fault = faultOfValue(item, () => `${field}[${index}]`, depthLeft - 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || "toJSON" in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Also a plain object of another realm: its prototype has none.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
