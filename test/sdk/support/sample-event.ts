import type { UsageEventInput } from "../../../src/sdk/usage/node.ts";

/** A request of `n` tokens; its id is `n`, so that what arrived can be told. */
export const event = (n: number, over: Partial<UsageEventInput> = {}): UsageEventInput => ({
  id: `e/${n}`,
  customer: "acme",
  type: "request",
  time: "2026-01-15T10:30:00Z",
  data: { model: "large", tokens: n },
  ...over,
});
