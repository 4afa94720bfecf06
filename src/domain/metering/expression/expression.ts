import type { Fraction } from "../../money/index.ts";
import type { MemberReader } from "../member.ts";

/** A computed quantity, parsed: what `parseExpression` makes and `evaluate` reads. */
export type Expression =
  | { readonly kind: "number"; readonly value: Fraction }
  | Member
  | { readonly kind: "negated"; readonly of: Expression }
  | Arithmetic
  | { readonly kind: "floor" | "ceil"; readonly of: Expression }
  | { readonly kind: "round"; readonly of: Expression; readonly places: number }
  | { readonly kind: "min" | "max"; readonly of: readonly Expression[] }
  | { readonly kind: "coalesce"; readonly member: Member; readonly fallback: Expression }
  | {
      readonly kind: "if";
      readonly condition: Comparison;
      readonly then: Expression;
      readonly otherwise: Expression;
    };

export type Member = { readonly kind: "member"; readonly field: string; readonly read: MemberReader };

export type Arithmetic = {
  readonly kind: "arithmetic";
  readonly operator: "+" | "-" | "*" | "/";
  readonly left: Expression;
  readonly right: Expression;
};

/** Stands only where it decides: as the first argument of `if`. */
export type Comparison = {
  readonly operator: (typeof comparisons)[number];
  readonly left: Expression;
  readonly right: Expression;
};

export const comparisons = ["<", "<=", ">", ">=", "==", "!="] as const;
