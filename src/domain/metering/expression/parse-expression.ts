import { type Decimal, decimal, Fraction } from "../../money/index.ts";
import { memberPath, memberReader } from "../member.ts";
import { type Comparison, comparisons, type Expression, type Member } from "./expression.ts";
import { ExpressionInvalidError, type Token, tokensOf } from "./tokens.ts";

/** The longest expression, in UTF-16 code units. */
export const expressionLengthMax = 500;

/** How deep parentheses, functions and signs may be nested. */
export const expressionDepthMax = 20;

/** The most decimals that `round` rounds to, as many as a quantity may have. */
const placesMax = 20;

/** The functions, as they are written. */
const functions = {
  if: "if(a > b, x, y)",
  min: "min(a, b, …)",
  max: "max(a, b, …)",
  ceil: "ceil(x)",
  floor: "floor(x)",
  round: "round(x, decimals)",
  coalesce: "coalesce(member, otherwise)",
} as const;

type FunctionName = keyof typeof functions;

/**
 * Parses a computed quantity such as `ceil(duration_ms / 1000)`; docs/meters.md has the grammar. The time it takes
 * grows with the length of the text, which is limited, as is the time to evaluate what it gives.
 * @throws ExpressionInvalidError with the position of the fault
 */
export function parseExpression(text: string): Expression {
  if (text.length > expressionLengthMax) {
    const message = `an expression has at most ${expressionLengthMax} characters, this one has ${text.length}`;
    throw new ExpressionInvalidError(message, expressionLengthMax + 1);
  }
  const parser = new Parser(tokensOf(text));
  const expression = parser.sum();
  parser.end();
  return expression;
}

/** Reads from left to right; each method takes the tokens of what it is named after. */
class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  sum(): Expression {
    let left = this.#product();
    for (;;) {
      const operator = this.#take("+", "-");
      if (operator === undefined) return left;
      left = { kind: "arithmetic", operator, left, right: this.#product() };
    }
  }

  end(): void {
    if (this.#token.kind !== "end") throw this.#expected("an operator");
  }

  #product(): Expression {
    let left = this.#factor();
    for (;;) {
      const operator = this.#take("*", "/");
      if (operator === undefined) return left;
      left = { kind: "arithmetic", operator, left, right: this.#factor() };
    }
  }

  #factor(): Expression {
    if (this.#depth === expressionDepthMax) {
      throw this.#fault(
        `nothing may be nested deeper than ${expressionDepthMax} levels: send a part of it computed`,
      );
    }
    this.#depth += 1;
    const factor = this.#take("-") ? ({ kind: "negated", of: this.#factor() } as const) : this.#operand();
    this.#depth -= 1;
    return factor;
  }

  #operand(): Expression {
    const { kind } = this.#token;
    if (kind === "number") return { kind, value: Fraction.ofDecimal(this.#number()) };
    if (kind === "name") {
      return this.#tokens[this.#next + 1]?.text === "(" ? this.#call() : this.#member();
    }
    if (!this.#take("(")) throw this.#expected('a number, a member of data, a function or "("');
    const inner = this.sum();
    this.#require(")");
    return inner;
  }

  #number(): Decimal {
    const token = this.#token;
    try {
      const number = decimal(token.text);
      this.#next += 1;
      return number;
    } catch {
      throw this.#fault(`"${token.text}" is not a number: write one such as 12.5`);
    }
  }

  #member(): Member {
    const { kind, text } = this.#token;
    if (kind !== "name" || !memberPath.test(text)) {
      throw this.#expected("a member of data, such as input_tokens or usage.input_tokens");
    }
    this.#next += 1;
    return { kind: "member", field: `data.${text}`, read: memberReader(text) };
  }

  #call(): Expression {
    const { text: name } = this.#token;
    if (!isFunction(name)) {
      throw this.#fault(`there is no function "${name}": there are ${Object.values(functions).join(", ")}`);
    }
    this.#next += 1;
    this.#require("(");
    const call = this.#arguments(name);
    this.#require(")", functions[name]);
    return call;
  }

  #arguments(name: FunctionName): Expression {
    const comma = () => this.#require(",", functions[name]);
    switch (name) {
      case "ceil":
      case "floor":
        return { kind: name, of: this.sum() };
      case "min":
      case "max": {
        const of = [this.sum()];
        do {
          comma();
          of.push(this.sum());
        } while (this.#token.text === ",");
        return { kind: name, of };
      }
      case "round": {
        const of = this.sum();
        comma();
        return { kind: name, of, places: this.#places() };
      }
      case "coalesce": {
        const member = this.#member();
        comma();
        return { kind: name, member, fallback: this.sum() };
      }
      case "if": {
        const condition = this.#comparison();
        comma();
        const then = this.sum();
        comma();
        return { kind: name, condition, then, otherwise: this.sum() };
      }
    }
  }

  #places(): number {
    const { kind, text } = this.#token;
    const places = Number(text);
    if (kind !== "number" || !/^\d+$/.test(text) || places > placesMax) {
      throw this.#expected(`the number of decimals, 0 to ${placesMax}`);
    }
    this.#next += 1;
    return places;
  }

  #comparison(): Comparison {
    const left = this.sum();
    const operator = this.#take(...comparisons);
    if (operator === undefined) throw this.#expected(`a comparison (${comparisons.join(" ")})`);
    return { operator, left, right: this.sum() };
  }

  get #token(): Token {
    return this.#tokens[this.#next] ?? { kind: "end", text: "", position: 1 };
  }

  /** The next token if it is one of these symbols. */
  #take<Symbol extends string>(...symbols: readonly Symbol[]): Symbol | undefined {
    const taken = symbols.find((symbol) => symbol === this.#token.text);
    if (taken !== undefined) this.#next += 1;
    return taken;
  }

  #require(symbol: string, form?: string): void {
    if (this.#take(symbol) === undefined) {
      throw this.#expected(`"${symbol}"${form === undefined ? "" : `, as in ${form}`}`);
    }
  }

  #expected(what: string): ExpressionInvalidError {
    const { kind, text } = this.#token;
    return this.#fault(`expected ${what}, not ${kind === "end" ? "the end" : `"${text}"`}`);
  }

  #fault(message: string): ExpressionInvalidError {
    return new ExpressionInvalidError(message, this.#token.position);
  }
}

const isFunction = (name: string): name is FunctionName => Object.hasOwn(functions, name);
