import fc from "fast-check";
import { instant, instantOfEpochMs } from "../../../src/domain/calendar/index.ts";
import type { Entitlement } from "../../../src/domain/catalog/index.ts";
import type { EntitlementSource } from "../../../src/domain/entitlements/index.ts";

export const march = instant("2026-03-01T00:00:00Z");

/** A source of a plan; say only what matters. */
export function sourceOf(
  entitlement: Partial<Entitlement>,
  over: Partial<EntitlementSource> = {},
): EntitlementSource {
  return {
    kind: "plan",
    id: "sub",
    plan: { key: "pro", version: 1 },
    since: march,
    until: null,
    cycle: null,
    entitlement: { feature: "f", ...entitlement },
    ...over,
  };
}

const anyLimit = fc.record({
  quantity: fc.integer({ min: 0, max: 1_000 }).map(String),
  window: fc.constantFrom(
    { type: "never" } as const,
    { type: "calendar", unit: "month" } as const,
    { type: "rolling", length: { unit: "hour", count: 5 } } as const,
  ),
  per: fc.constantFrom([], ["user"], ["user", "team"], ["team", "user"]),
  beyond: fc.constantFrom("denied" as const, "charged" as const),
});

/** Of metered features: some without limit. */
export const anyMeteredSources: fc.Arbitrary<EntitlementSource[]> = fc
  .array(
    fc.record({
      kind: fc.constantFrom("plan" as const, "add_on" as const, "contract" as const, "grant" as const),
      since: fc.integer({ min: 0, max: 5 }).map((days) => instantOfEpochMs(march + days * 86_400_000)),
      limits: fc.option(fc.array(anyLimit, { minLength: 1, maxLength: 3 }), { freq: 8, nil: undefined }),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((found) =>
    found.map(({ kind, since, limits }, index) =>
      sourceOf(limits === undefined ? {} : { limits }, { kind, since, id: `s${index}` }),
    ),
  );

/** In any other order. */
export const shuffled = <Item>(items: readonly Item[], seed: number): Item[] =>
  items
    .map((item, index) => ({ item, at: (index * 7919 + seed * 104_729) % 1_009 }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
