import type { EntryContent, EntrySpec, Operation } from "./ledger-operations.ts";

/** Seeds that reach what is rare, or once failed. They come first; a seed that fails is added here. */
export const keptSeeds: readonly number[] = [2, 7, 5, 401282400];

const content = (of: Partial<EntryContent> = {}): EntryContent => ({
  currency: 0,
  postings: [{ from: 4, steps: 4, amount: 100n }],
  at: 4,
  ...of,
});
const fresh = (of: Partial<EntryContent> = {}): EntrySpec => ({ is: "fresh", content: content(of) });
const post = (...entries: readonly EntrySpec[]): Operation => ({ do: "post", entries });
const hold: Operation = {
  do: "place",
  holds: [{ is: "fresh", currency: 0, lines: [{ account: 0, amount: 10n, more: null }], hours: 1 }],
};

/** Sequences that once failed, or would be hard to come by: a seed means another one when the generator changes. */
export const keptSequences: readonly { readonly why: string; readonly sequence: readonly Operation[] }[] = [
  {
    why: "a twin knows the entries before it, not one after it that has the same key",
    sequence: [post(fresh(), { is: "renamed", of: 0 }, { is: "same_key", of: 0, content: content() })],
  },
  {
    why: "a twin by its key is that, though its event was recorded before; and the other way round",
    sequence: [
      post(fresh()),
      post({ is: "same_event", of: 0, content: content() }),
      post({ is: "same_key", of: 0, content: content() }, { is: "again", of: 1 }),
      post(fresh()),
      post({ is: "same_key", of: 0, content: content() }),
      post({ is: "same_event", of: 0, content: content() }, { is: "again", of: 1 }),
    ],
  },
  {
    why: "a twin that would be refused by itself is a twin all the same",
    sequence: [
      post(fresh(), { is: "altered", of: 0, content: content({ wrongAccount: "not_in_chart" }) }),
      { do: "close", month: 3 },
      post(fresh({ at: 7 }), { is: "altered", of: 0, content: content({ whenClosed: "refuse" }) }),
    ],
  },
  {
    why: "a refused twin claims nothing: the next one may",
    sequence: [
      post(
        fresh({ wrongAccount: "other_currency" }),
        { is: "altered", of: 0, content: content({ postings: [{ from: 0, steps: 4, amount: 1n }] }) },
        { is: "altered", of: 0, content: content() },
      ),
    ],
  },
  {
    why: "a month that is closed with those before it is carried with them",
    sequence: [
      post(fresh({ at: 0 }), fresh({ at: 1 }), fresh({ at: 3 }), fresh({ at: 5 }), fresh({ at: 6 })),
      { do: "close", month: 0 },
      { do: "close", month: 3 },
      { do: "carry" },
      { do: "carry" },
      { do: "carry" },
      post(fresh({ at: 1 }), fresh({ at: 6 })),
      { do: "close", month: 5 },
      { do: "carry" },
    ],
  },
  {
    why: "an entry settles one hold, and another one by no means",
    sequence: [
      post(fresh()),
      hold,
      hold,
      {
        do: "settle",
        settlements: [{ hold: 0, costs: fresh({ postings: [{ from: 0, steps: 6, amount: 5n }] }) }],
      },
      { do: "settle", settlements: [{ hold: 1, costs: { is: "again", of: 0 } }] },
      { do: "settle", settlements: [{ hold: 0, costs: { is: "again", of: 0 } }] },
    ],
  },
  {
    why: "an entry that was posted before settles nothing",
    sequence: [
      post(fresh()),
      hold,
      { do: "settle", settlements: [{ hold: 0, costs: { is: "again", of: 0 } }] },
      { do: "settle", settlements: [{ hold: 0, costs: { is: "renamed", of: 0 } }] },
      { do: "settle", settlements: [{ hold: 0, costs: 0n }] },
    ],
  },
  {
    why: "a batch, its twins and its reversals lie across the end of a partition",
    sequence: [
      { do: "jump", idsLeft: 2 },
      post(fresh(), fresh(), fresh(), { is: "again", of: 2 }, { is: "renamed", of: 0 }),
      { do: "jump", idsLeft: 1 },
      post({ is: "reversal", of: 2, how: "mirrored" }, { is: "reversal", of: 0, how: "under_another_event" }),
      post({ is: "reversal", of: 4, how: "under_another_event" }, fresh()),
      { do: "seal" },
      { do: "fold" },
    ],
  },
  {
    why: "an entry is reversed once, in a batch too, and a reversal never",
    sequence: [
      post(fresh()),
      post({ is: "reversal", of: 0, how: "mirrored" }, { is: "reversal", of: 0, how: "under_another_event" }),
      post(fresh(), { is: "reversal", of: 0, how: "mirrored" }),
      post({ is: "reversal", of: 1, how: "other_amount" }),
    ],
  },
];
