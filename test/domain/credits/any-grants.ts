import fc from "fast-check";
import { ledgerAmount } from "../../../src/domain/money/index.ts";
import { day, fastModels, grant, proLarge, storage, tokens } from "./grants.ts";

/** Up to eight grants that differ in everything that decides their order. */
export const anyGrants = fc
  .array(
    fc.record({
      priority: fc.integer({ min: 0, max: 2 }),
      remaining: fc.bigInt(0n, 50n),
      effectiveDays: fc.integer({ min: -3, max: 1 }),
      expiryDays: fc.option(fc.integer({ min: 2, max: 5 })),
      kind: fc.constantFrom("paid", "promotional", "goodwill"),
      scope: fc.constantFrom(undefined, [tokens], [storage], [proLarge], [fastModels], [tokens, storage]),
      isRollover: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((records) =>
    records.map(({ remaining, effectiveDays, expiryDays, scope, ...rest }, index) =>
      grant(`g${index}`, {
        ...rest,
        remaining: ledgerAmount(remaining),
        effectiveAt: day(effectiveDays),
        expiresAt: expiryDays === null ? null : day(expiryDays),
        ...(scope === undefined ? {} : { scope }),
      }),
    ),
  );
