import { BillingError } from "../../errors.ts";
import { Fraction } from "../../money/index.ts";
import { numberIn } from "../quantity.ts";
import type { UsageEvent } from "../usage-event.ts";
import type { Arithmetic, Comparison, Expression, Member } from "./expression.ts";

type EventData = UsageEvent["data"];

export class UsageDivisionByZeroError extends BillingError {
  readonly code = "usage_division_by_zero";
}

/**
 * What an expression comes to for one event, exactly. Only the branch of an `if` that is taken is evaluated, and a
 * member that is null is missing to `coalesce`. It takes as many steps as the expression has parts.
 * @throws UsagePropertyMissingError, UsageQuantityInvalidError, UsageQuantityTooLargeError,
 * UsageDivisionByZeroError with the `field` at fault
 */
export function evaluate(expression: Expression, data: EventData): Fraction {
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "member":
      return memberValue(expression, data);
    case "negated":
      return evaluate(expression.of, data).negated();
    case "arithmetic":
      return arithmetic(expression, data);
    case "floor":
      return evaluate(expression.of, data).floor();
    case "ceil":
      return evaluate(expression.of, data).ceil();
    case "round":
      return Fraction.ofDecimal(evaluate(expression.of, data).rounded(expression.places, "half-even"));
    case "min":
    case "max":
      return extreme(expression.kind === "min" ? -1 : 1, expression.of, data);
    case "coalesce": {
      const { member, fallback } = expression;
      return (member.read(data) ?? null) === null ? evaluate(fallback, data) : memberValue(member, data);
    }
    case "if":
      return evaluate(holds(expression.condition, data) ? expression.then : expression.otherwise, data);
  }
}

function memberValue({ read, field }: Member, data: EventData): Fraction {
  const value = read(data);
  if (typeof value === "number" && Number.isSafeInteger(value)) return new Fraction(BigInt(value));
  return Fraction.ofDecimal(numberIn(value, field));
}

function arithmetic({ operator, left, right }: Arithmetic, data: EventData): Fraction {
  const before = evaluate(left, data);
  const after = evaluate(right, data);
  switch (operator) {
    case "+":
      return before.plus(after);
    case "-":
      return before.minus(after);
    case "*":
      return before.times(after);
    case "/":
      if (after.isZero()) {
        const field = right.kind === "member" ? right.field : "data";
        throw new UsageDivisionByZeroError(`a meter divides by ${field}, which is zero`, field);
      }
      return before.dividedBy(after);
  }
}

function extreme(sign: 1 | -1, parts: readonly Expression[], data: EventData): Fraction {
  return parts
    .map((part) => evaluate(part, data))
    .reduce((chosen, value) => (value.compare(chosen) === sign ? value : chosen));
}

function holds({ operator, left, right }: Comparison, data: EventData): boolean {
  const order = evaluate(left, data).compare(evaluate(right, data));
  switch (operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    case "==":
      return order === 0;
    case "!=":
      return order !== 0;
  }
}
