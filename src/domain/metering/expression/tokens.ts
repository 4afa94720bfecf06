import { BillingError } from "../../errors.ts";

/** An expression that cannot be read; `position` is where, in characters from 1. */
export class ExpressionInvalidError extends BillingError {
  readonly code = "expression_invalid";
  readonly position: number;

  constructor(message: string, position: number) {
    super(`at character ${position}: ${message}`);
    this.position = position;
  }
}

/** `position` is that of its first character, from 1; the end's is one behind the last. */
export type Token = {
  readonly kind: "number" | "name" | "symbol" | "end";
  readonly text: string;
  readonly position: number;
};

// What is no number ("1.2.3") or no member ("a..b") is told from one later, where it can be said in words.
const anyToken = /(?<number>\d[\d.]*)|(?<name>[A-Za-z][\w.]*)|(?<symbol>[<>=!]=|[-+*/(),<>])|(?<other>\S)/gu;

/** Cuts a text into tokens, the end being the last. @throws ExpressionInvalidError at the first odd character */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (const { 0: found, index, groups = {} } of text.matchAll(anyToken)) {
    const position = index + 1;
    if (groups.other !== undefined) {
      throw new ExpressionInvalidError(`${JSON.stringify(found)} is not part of any expression`, position);
    }
    const kind = groups.number !== undefined ? "number" : groups.name !== undefined ? "name" : "symbol";
    tokens.push({ kind, text: found, position });
  }
  tokens.push({ kind: "end", text: "", position: text.length + 1 });
  return tokens;
}
