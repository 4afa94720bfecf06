import { decimal } from "../money/index.ts";
import type { JsonValue } from "./canonical-json.ts";
import { memberReader } from "./member.ts";
import { numberIn } from "./quantity.ts";
import type { UsageEvent } from "./usage-event.ts";

/** A value that a condition can name: text, a truth, or a whole number. */
export type Scalar = string | number | boolean;

/** What is asked of one member of an event's data; all that is said must hold. Bounds are decimal text. */
export type Condition = {
  readonly member: string;
  /** The value is one of these, of the same type: the text "5" is not the number 5. */
  readonly in?: readonly Scalar[];
  /** The value is none of these; holds also for an event that lacks the member. */
  readonly notIn?: readonly Scalar[];
  /** Whether the event has the member, with a value other than null. */
  readonly exists?: boolean;
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
};

/** Whether a meter counts an event. */
export type Filter = (data: UsageEvent["data"]) => boolean;

type Test = (value: JsonValue | undefined) => boolean;

/**
 * All conditions as one. What lacks a member is within no bounds; what has another value than a number there
 * makes the filter throw `usage_quantity_invalid`, since nobody can say whether it should be billed.
 */
export function compileFilter(conditions: readonly Condition[]): Filter {
  const compiled = conditions.map((condition) => {
    const read = memberReader(condition.member);
    const tests = testsOf(condition);
    return (data: UsageEvent["data"]) => {
      const value = read(data) ?? undefined;
      return tests.every((holds) => holds(value));
    };
  });
  return (data) => compiled.every((holds) => holds(data));
}

function testsOf({ member, in: among, notIn, exists, gt, gte, lt, lte }: Condition): Test[] {
  const field = `data.${member}`;
  const tests: Test[] = [];
  if (exists !== undefined) tests.push((value) => (value !== undefined) === exists);
  if (among !== undefined) tests.push(oneOf(among));
  if (notIn !== undefined) {
    const isForbidden = oneOf(notIn);
    tests.push((value) => !isForbidden(value));
  }
  if (gt !== undefined) tests.push(compared(gt, field, (order) => order > 0));
  if (gte !== undefined) tests.push(compared(gte, field, (order) => order >= 0));
  if (lt !== undefined) tests.push(compared(lt, field, (order) => order < 0));
  if (lte !== undefined) tests.push(compared(lte, field, (order) => order <= 0));
  return tests;
}

function oneOf(values: readonly Scalar[]): Test {
  const wanted: ReadonlySet<JsonValue | undefined> = new Set(values);
  return (value) => wanted.has(value);
}

function compared(bound: string, field: string, holds: (order: -1 | 0 | 1) => boolean): Test {
  const exact = decimal(bound);
  return (value) => value !== undefined && holds(numberIn(value, field).compare(exact));
}
