/** What an e-mail says, before it is set as text and as HTML. */
export interface Letter {
  readonly subject: string;
  /** The first thing that is read; many programs show it beside the subject. */
  readonly title: string;
  /** The one figure that is looked for first. */
  readonly headline: { readonly name: string; readonly text: string; readonly tone: Tone } | null;
  readonly paragraphs: readonly string[];
  readonly particulars: readonly { readonly name: string; readonly text: string }[];
  /** What the reader may do. */
  readonly action: { readonly label: string; readonly url: string } | null;
}

export type Tone = "good" | "plain" | "bad";

/** Who reads it, and who writes. */
export interface MailReader {
  /** As he is addressed. */
  readonly name: string;
  /** IANA name: in whose days and hours times are said. */
  readonly timeZone: string;
  /** Who sells; null as long as nobody said. */
  readonly seller: string | null;
}

export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}
