/** The names of fields in JSON are snake_case; in the domain they are camelCase. */
export const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
export const camelCase = (name: string) =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Renames the fields of a value, at every depth, except in what the caller has named himself: `opaque` fields. */
export function renameFields(
  value: unknown,
  rename: (name: string) => string,
  opaque: ReadonlySet<string> = new Set(),
): unknown {
  if (Array.isArray(value)) return value.map((item) => renameFields(item, rename, opaque));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      rename(name),
      opaque.has(name) ? field : renameFields(field, rename, opaque),
    ]),
  );
}
