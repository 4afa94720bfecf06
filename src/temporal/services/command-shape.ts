import { instant } from "../../domain/calendar/index.ts";
import { WorkflowRefusal } from "../workflow-refusal.ts";

/** As the API takes them. */
const id = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$/;
const requestId = /^[\x21-\x7e]{1,255}$/;
const seatsMax = 1_000_000;

const rules: Readonly<Record<string, { isSo(value: unknown): boolean; readonly must: string }>> = {
  requestId: {
    isSo: (value) => typeof value === "string" && requestId.test(value),
    must: "be 1 to 255 visible ASCII characters",
  },
  at: {
    isSo: (value) => typeof value === "string" && isInstant(value),
    must: 'be an instant such as "2026-01-31T00:00:00Z"',
  },
  seats: {
    isSo: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= seatsMax,
    must: `be a whole number from 1 to ${seatsMax}`,
  },
};
function isInstant(text: string): boolean {
  try {
    instant(text);
    return true;
  } catch {
    return false;
  }
}

const idRule = {
  isSo: (value: unknown) => typeof value === "string" && id.test(value),
  must: "be 1 to 100 letters, digits, _ . : or -, and start with a letter or digit",
};

/**
 * Refuses what cannot be meant, as the API refuses it before it asks anybody.
 * @throws WorkflowRefusal `request_invalid`, naming the field
 */
export function requireCommand(ids: Readonly<Record<string, string>>, command: object): void {
  for (const [name, value] of Object.entries(ids)) require(name, value, idRule);
  requireFields("", command);
}

function requireFields(place: string, fields: object): void {
  for (const [name, value] of Object.entries(fields)) {
    const rule = name === "planKey" ? idRule : rules[name];
    if (rule !== undefined) require(`${place}${name}`, value, rule);
    if (name === "items" && Array.isArray(value)) {
      for (const [index, item] of value.entries()) requireFields(`items[${index}].`, item);
    }
  }
}

function require(
  name: string,
  value: unknown,
  { isSo, must }: { isSo(value: unknown): boolean; must: string },
) {
  if (!isSo(value)) throw new WorkflowRefusal("request_invalid", `${name} must ${must}`);
}
