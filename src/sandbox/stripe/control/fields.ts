/** A refusal of the control API, told in plain words. */
export class ControlError extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

/** Parses a JSON object; an empty body is an empty object. */
export function fields(body: string): Fields {
  if (body === "") return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw new ControlError("the body is not JSON");
  }
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) {
    throw new ControlError("the body must be a JSON object");
  }
  return { ...parsed };
}

export function requiredText(input: Fields, name: string): string {
  const value = optionalText(input, name);
  if (value === undefined) throw new ControlError(`${name} is missing`);
  return value;
}

export function optionalText(input: Fields, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || typeof value === "string") return value;
  throw new ControlError(`${name} must be text`);
}

export function optionalNumber(input: Fields, name: string): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new ControlError(`${name} must be a number`);
}

export function textList(input: Fields, name: string): string[] {
  const value = input[name];
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new ControlError(`${name} must be a list of texts`);
}
