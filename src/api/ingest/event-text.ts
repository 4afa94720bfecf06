/** A text field of what may be an event; undefined when there is none. */
export function eventText(input: unknown, field: string): string | undefined {
  if (typeof input !== "object" || input === null) return undefined;
  const value = (input as Record<string, unknown>)[field];
  return typeof value === "string" && value.length <= 200 ? value : undefined;
}
