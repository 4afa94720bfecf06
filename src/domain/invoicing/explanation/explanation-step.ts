/** One step of a derivation: what was done, in words, and the numbers it was done with, as exact text. */
export interface ExplanationStep {
  readonly kind:
    | "usage"
    | "price"
    | "included"
    | "tier"
    | "exact"
    | "billed_before"
    | "share"
    | "other"
    | "rounding"
    | "credits"
    | "tax"
    | "balance"
    | "sum";
  readonly text: string;
  readonly figures: Readonly<Record<string, string>>;
}

export const step = (
  kind: ExplanationStep["kind"],
  text: string,
  figures: ExplanationStep["figures"],
): ExplanationStep => ({ kind, text, figures });
