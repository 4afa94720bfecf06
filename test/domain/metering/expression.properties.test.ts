import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BillingError } from "../../../src/domain/errors.ts";
import { evaluate } from "../../../src/domain/metering/expression/evaluate.ts";
import { type JsonValue, parseExpression } from "../../../src/domain/metering/index.ts";
import { type Decimal, decimal } from "../../../src/domain/money/index.ts";

/**
 * An expression written out, and what it comes to by arithmetic that shares nothing with the evaluator: rationals in
 * lowest terms. Null where something is divided by zero.
 */
type Known = { readonly text: string; readonly value: Rational | null };
type Rational = readonly [numerator: bigint, denominator: bigint];

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? a : gcd(b, a % b));
const lowest = (n: bigint, d: bigint): Rational => {
  const common = gcd(n < 0n ? -n : n, d < 0n ? -d : d) * (d < 0n ? -1n : 1n);
  return [n / common, d / common];
};
const rational = ({ text }: Decimal): Rational => {
  const [whole = "", decimals = ""] = text.split(".");
  return lowest(BigInt(whole + decimals), 10n ** BigInt(decimals.length));
};
const minus = ([a, b]: Rational, [c, d]: Rational) => lowest(a * d - c * b, b * d);
const isLess = (one: Rational, other: Rational) => minus(one, other)[0] < 0n;
const whole = ([n, d]: Rational, up: boolean): Rational => {
  const below = n / d - (n % d < 0n ? 1n : 0n);
  return [up && n % d !== 0n ? below + 1n : below, 1n];
};
/** Half to even, told by trying: the nearest of the two neighbours, of two nearest the even one. */
const nearest = (value: Rational, places: number): Rational => {
  const step = 10n ** BigInt(places);
  const [n, d] = value;
  const [below] = whole([n * step, d], false);
  const twiceRest = 2n * (n * step - below * d);
  const isUp = twiceRest > d || (twiceRest === d && below % 2n !== 0n);
  return lowest(isUp ? below + 1n : below, step);
};

const data: Record<string, JsonValue> = {
  a: 7,
  b: "-0.25",
  c: 0,
  nested: { d: 1e-7, e: "123456789012.5" },
  none: null,
};
const members: Known[] = [
  { text: "a", value: [7n, 1n] },
  { text: "b", value: [-1n, 4n] },
  { text: "c", value: [0n, 1n] },
  { text: "nested.d", value: [1n, 10n ** 7n] },
  { text: "nested.e", value: rational(decimal("123456789012.5")) },
];
const anyNumber = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.nat(99))
  .map(([units, cents]) => decimal(`${units}.${String(cents).padStart(2, "0")}`))
  .map((number): Known => ({ text: number.text, value: rational(number) }));

const both = (one: Known, other: Known, compute: (a: Rational, b: Rational) => Rational | null) =>
  one.value === null || other.value === null ? null : compute(one.value, other.value);
const operators: Record<string, (a: Rational, b: Rational) => Rational | null> = {
  "+": (a, b) => minus(a, [-b[0], b[1]]),
  "-": minus,
  "*": ([a, b], [c, d]) => lowest(a * c, b * d),
  "/": ([a, b], [c, d]) => (c === 0n ? null : lowest(a * d, b * c)),
};
const comparisons: Record<string, (a: Rational, b: Rational) => boolean> = {
  "<": isLess,
  ">": (a, b) => isLess(b, a),
  "<=": (a, b) => !isLess(b, a),
  ">=": (a, b) => !isLess(a, b),
  "==": (a, b) => minus(a, b)[0] === 0n,
  "!=": (a, b) => minus(a, b)[0] !== 0n,
};

const { expression: anyExpression } = fc.letrec<{ expression: Known }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    fc.constantFrom(...members),
    anyNumber,
    fc
      .tuple(tie("expression"), fc.constantFrom(..."+-*/"), tie("expression"))
      .map(([one, operator, other]) => ({
        text: `(${one.text} ${operator} ${other.text})`,
        value: both(one, other, operators[operator] ?? minus),
      })),
    tie("expression").map(({ text, value }) => ({
      text: `-${text}`,
      value: value && lowest(-value[0], value[1]),
    })),
    tie("expression").map(({ text, value }) => ({
      text: `ceil(${text})`,
      value: value && whole(value, true),
    })),
    tie("expression").map(({ text, value }) => ({
      text: `floor(${text})`,
      value: value && whole(value, false),
    })),
    fc.tuple(tie("expression"), fc.nat(20)).map(([{ text, value }, places]) => ({
      text: `round(${text}, ${places})`,
      value: value && nearest(value, places),
    })),
    fc.tuple(tie("expression"), tie("expression")).map(([one, other]) => ({
      text: `min(${one.text},${other.text})`,
      value: both(one, other, (a, b) => (isLess(a, b) ? a : b)),
    })),
    fc.tuple(tie("expression"), tie("expression")).map(([one, other]) => ({
      text: `max(${one.text},${other.text})`,
      value: both(one, other, (a, b) => (isLess(a, b) ? b : a)),
    })),
    tie("expression").map(({ text, value }) => ({ text: `coalesce(nowhere, ${text})`, value })),
    tie("expression").map(({ text }) => ({ text: `coalesce(a, ${text})`, value: [7n, 1n] as const })),
    fc
      .tuple(
        tie("expression"),
        fc.constantFrom(...Object.keys(comparisons)),
        tie("expression"),
        tie("expression"),
        tie("expression"),
      )
      .map(([left, comparison, right, then, otherwise]) => {
        const compare = comparisons[comparison] ?? isLess;
        const isTrue = left.value !== null && right.value !== null && compare(left.value, right.value);
        const isDecided = left.value !== null && right.value !== null;
        return {
          text: `if(${left.text} ${comparison} ${right.text}, ${then.text}, ${otherwise.text})`,
          value: isDecided ? (isTrue ? then.value : otherwise.value) : null,
        };
      }),
  ),
}));

describe("INV-24: an expression is exact, whatever it is made of", () => {
  test("and refused only for dividing by zero", () => {
    fc.assert(
      fc.property(
        anyExpression.filter(({ text }) => text.length <= 500),
        ({ text, value }) => {
          try {
            const { numerator, denominator } = evaluate(parseExpression(text), data);
            expect(lowest(numerator, denominator)).toEqual(value);
          } catch (error) {
            expect(error).toMatchObject({ code: "usage_division_by_zero" });
            expect(value).toBeNull();
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("operators bind as in arithmetic, parentheses or not", () => {
    const anyChain = fc.array(fc.tuple(fc.constantFrom(..."+-*/"), fc.integer({ min: 1, max: 9 })), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(anyChain, (chain) => {
        const text = `1${chain.map(([operator, number]) => ` ${operator} ${number}`).join("")}`;
        // Products first, each a term with its sign; then the terms are summed.
        const terms: Rational[] = [[1n, 1n]];
        for (const [operator, number] of chain) {
          const last = terms.pop() ?? [0n, 1n];
          if (operator === "*") terms.push(lowest(last[0] * BigInt(number), last[1]));
          else if (operator === "/") terms.push(lowest(last[0], last[1] * BigInt(number)));
          else terms.push(last, [BigInt(operator === "-" ? -number : number), 1n]);
        }
        const sum = terms.reduce((one, [n, d]) => minus(one, [-n, d]), [0n, 1n]);
        const { numerator, denominator } = evaluate(parseExpression(text), {});
        expect(lowest(numerator, denominator)).toEqual(sum);
      }),
    );
  });
});

describe("INV-25: any text is an expression or refused with a code, and so is any event by any expression", () => {
  const pieces = [
    ..."+-*/(),<>=! .\t\n_'\"[]{}$0123456789ab",
    ...[
      "<=",
      "==",
      "if(",
      "min(",
      "max(",
      "ceil(",
      "floor(",
      "round(",
      "coalesce(",
      "1.5",
      "a",
      "nested.d",
      "none",
    ],
    ...["__proto__", "constructor", "toString", "a.constructor", "\u0000", "é", "𝟙", "1e9", "."],
  ];
  const anyText = fc.oneof(
    fc.string({ unit: "binary", maxLength: 600 }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 200 }).map((parts) => parts.join("")),
    // Nearly right: one piece taken out of, or put into, an expression.
    fc
      .tuple(anyExpression, fc.nat(500), fc.nat(3), fc.constantFrom("", ...pieces))
      .map(([{ text }, at, length, piece]) => text.slice(0, at) + piece + text.slice(at + length)),
  );
  const anyData = fc.dictionary(fc.constantFrom("a", "b", "c", "nested", "none"), fc.jsonValue());

  test("nothing else is ever thrown", () => {
    fc.assert(
      fc.property(anyText, anyData, (text, anything) => {
        try {
          const exact = evaluate(parseExpression(text), anything as Record<string, JsonValue>);
          expect(exact.denominator > 0n).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(BillingError);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
