import { instant } from "../calendar/index.ts";
import { BillingError } from "../errors.ts";
import { activationSeconds } from "./subscription-start.ts";
import type { SubscriptionCommandKind } from "./subscription-table.ts";

/** A command that cannot be meant, whatever the subscription's state is. Nothing was changed. */
export class CommandShapeError extends BillingError {
  readonly code = "request_invalid";
}

interface Rule {
  isSo(value: unknown): boolean;
  readonly must: string;
}

const seatsMax = 1_000_000;
const itemsMax = 20;

const matching = (pattern: RegExp, must: string): Rule => ({
  isSo: (value) => typeof value === "string" && pattern.test(value),
  must,
});
const wholeNumber = (min: number, max: number): Rule => ({
  isSo: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
  must: `be a whole number from ${min} to ${max}`,
});
const oneOf = (...values: string[]): Rule => ({
  isSo: (value) => typeof value === "string" && values.includes(value),
  must: `be one of ${values.join(", ")}`,
});

const idRule = matching(
  /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$/,
  "be 1 to 100 letters, digits, _ . : or -, and start with a letter or digit",
);
const nameRule = matching(/^[\x21-\x7e]{1,255}$/, "be 1 to 255 visible ASCII characters");
const instantRule: Rule = { isSo: isInstant, must: 'be an instant such as "2026-01-31T00:00:00Z"' };
const changeTimeRule: Rule = {
  isSo: (value) => value === "now" || value === "period_end" || (isObject(value) && isInstant(value.at)),
  must: 'be "now", "period_end" or { at } with an instant',
};

/** What each field of a command may be, wherever it stands; the same as the API's schemas say. */
const rules: Readonly<Record<string, Rule>> = {
  requestId: nameRule,
  at: instantRule,
  planKey: idRule,
  seats: wholeNumber(1, seatsMax),
  agreement: nameRule,
  // That of an agreed end is made from the name of its request.
  changeId: matching(/^[\x21-\x7e]{1,300}$/, "be 1 to 300 visible ASCII characters"),
  when: changeTimeRule,
  settle: oneOf("now", "next_invoice", "none"),
  anchor: oneOf("keep", "reset"),
  quote: nameRule,
  credit: oneOf("unused", "refund", "none"),
  usage: oneOf("billed", "refused"),
  resumesAt: instantRule,
  resumeAnchor: oneOf("keep", "reset"),
  items: {
    isSo: (value) => Array.isArray(value) && value.length >= 1 && value.length <= itemsMax,
    must: `be a list of 1 to ${itemsMax} plans`,
  },
  start: { isSo: isObject, must: "be an object" },
  startAt: instantRule,
  billedThrough: instantRule,
  firstCharge: oneOf("prorated", "none"),
  trial: oneOf("plan", "none"),
  trialWithoutPaymentMethod: oneOf("convert", "cancel", "pause"),
  paymentMethod: oneOf("required", "optional"),
  payWithinSeconds: wholeNumber(activationSeconds.min, activationSeconds.max),
  reactivates: idRule,
};

/** What cannot be left out, besides `requestId` and `at`. */
const requiredOf: Readonly<Record<SubscriptionCommandKind | "activate", readonly string[]>> = {
  activate: ["items"],
  change_plan: ["planKey"],
  change_quantity: ["seats"],
  add_add_on: ["planKey", "seats"],
  remove_add_on: ["planKey"],
  end_trial: [],
  pause: [],
  resume: [],
  cancel: ["when"],
  uncancel: [],
  withdraw: ["changeId"],
};

/**
 * Refuses ids that no customer or subscription can have.
 * @param ids by the names under which the caller knows them
 * @throws CommandShapeError naming the field
 */
export function requireIds(ids: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(ids)) require(name, value, idRule);
}

/**
 * Refuses a field that cannot be meant, as the API refuses it before it asks anybody. Fields that are not known here are let
 * through: newer senders may have them.
 * @throws CommandShapeError naming the field
 */
export function requireFields(command: unknown, required: readonly string[] = [], place = ""): void {
  if (!isObject(command)) throw new CommandShapeError(`${place || "a command"} must be an object`);
  for (const name of required) {
    if (command[name] === undefined) throw new CommandShapeError(`${place}${name} is missing`, place + name);
  }
  for (const [name, value] of Object.entries(command)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined || value === undefined) continue;
    require(place + name, value, rule);
    if (name === "start") requireFields(value, [], "start.");
    if (name === "items" && Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        requireFields(item, ["planKey", "seats"], `items[${index}].`);
      }
    }
  }
}

/**
 * The same, with all that a command of this kind has to say.
 * @throws CommandShapeError naming the field
 */
export function requireCommand(kind: SubscriptionCommandKind | "activate", command: unknown): void {
  requireFields(command, ["requestId", "at", ...requiredOf[kind]]);
}

/**
 * Refuses a pause that would be over before it begins.
 * @param begins when it does; both are ISO times
 * @throws CommandShapeError naming the field
 */
export function requirePauseEnds(begins: string, resumesAt: string | undefined): void {
  if (resumesAt === undefined || instant(resumesAt) > instant(begins)) return;
  throw new CommandShapeError(`resumesAt must be after ${begins}, when the pause begins`, "resumesAt");
}

function require(name: string, value: unknown, { isSo, must }: Rule): void {
  if (!isSo(value)) throw new CommandShapeError(`${name} must ${must}`, name);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isInstant(value: unknown): boolean {
  if (typeof value !== "string") return false;
  try {
    instant(value);
    return true;
  } catch {
    return false;
  }
}
