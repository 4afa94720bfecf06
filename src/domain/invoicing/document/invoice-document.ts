/** An invoice, credit note or preview as it is printed: nothing but texts, in the order in which they stand. */
export interface InvoiceDocument {
  /** What it is: `Invoice`, `Credit note`, `Preview of an invoice`. */
  readonly title: string;
  /** Null of a preview, which has none yet. */
  readonly number: string | null;
  /** How it stands, such as `Paid on 3 March 2026`; null where there is nothing to say. */
  readonly state: { readonly text: string; readonly tone: "good" | "plain" | "bad" } | null;
  readonly seller: DocumentParty | null;
  readonly customer: DocumentParty;
  readonly particulars: readonly NamedText[];
  /** The one figure that is looked for first. */
  readonly headline: NamedText;
  readonly groups: readonly DocumentGroup[];
  readonly sums: readonly DocumentSum[];
  readonly notes: readonly string[];
  readonly footer: string | null;
}

export interface DocumentParty {
  readonly name: string;
  readonly lines: readonly string[];
}

export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** Lines of one plan, or of what belongs to none. */
export interface DocumentGroup {
  /** What begins with it: of several subscriptions, which one; null where nothing does. */
  readonly heading: string | null;
  readonly title: string;
  readonly lines: readonly DocumentLine[];
  readonly sum: string;
}

export interface DocumentLine {
  readonly title: string;
  readonly period: string | null;
  readonly quantity: string | null;
  /** Null where several prices make the amount: then `tiers` says them. */
  readonly unitPrice: string | null;
  readonly amount: string;
  readonly tiers: readonly DocumentTier[];
  readonly notes: readonly string[];
}

export interface DocumentTier {
  readonly title: string;
  readonly quantity: string;
  readonly unitPrice: string;
  readonly amount: string;
}

export interface DocumentSum {
  readonly name: string;
  readonly amount: string;
  readonly isStrong: boolean;
}
