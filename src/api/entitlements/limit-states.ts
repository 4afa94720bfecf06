import type { Database, Tx } from "../../db/database.ts";
import type { EntitlementFacts } from "../../db/entitlements/entitlement-facts.ts";
import {
  fitsAgain,
  type LimitInWindow,
  usedOfLimits,
  windowOfLimit,
} from "../../db/entitlements/limit-usage.ts";
import {
  type Decision,
  isLimitOf,
  type LimitState,
  limitState,
  type MergedLimit,
  scopeOfLimit,
} from "../../domain/entitlements/index.ts";
import type { Dimensions } from "../../domain/metering/index.ts";
import type { AskedFeature, GivenFeature } from "./checked-feature.ts";

type Asked = AskedFeature & { readonly given: GivenFeature };

/** For each of the features asked for its limits, with what is used of them: read together. */
export async function limitStates(
  db: Database,
  tx: Tx,
  facts: EntitlementFacts,
  { asked, subject }: { readonly asked: readonly Asked[]; readonly subject: Dimensions },
): Promise<LimitState[][]> {
  const limits = await Promise.all(
    asked.map((each) =>
      Promise.all(limitsFor(each, subject).map((limit) => inWindow(db, facts, limit, each, subject))),
    ),
  );
  const used = await usedOfLimits(tx, facts, limits.flat());
  let place = 0;
  return limits.map((ofFeature, index) =>
    ofFeature.map(({ limit, meterKey, window }): LimitState => {
      const before = used[place++] ?? null;
      return limitState(limit, window, before, {
        asked: asked[index]?.quantity ?? limit.amount,
        aggregation: aggregationOf(facts, meterKey),
      });
    }),
  );
}

function limitsFor({ given: { feature, merged } }: Asked, subject: Dimensions): readonly MergedLimit[] {
  if (feature.type !== "metered") return [];
  return (merged?.limits ?? []).filter((limit) => isLimitOf(limit, subject));
}

async function inWindow(
  db: Database,
  facts: EntitlementFacts,
  limit: MergedLimit,
  { given: { feature } }: Asked,
  subject: Dimensions,
): Promise<LimitInWindow> {
  const part = { limit, meterKey: feature.meter ?? "", scope: scopeOfLimit(limit, subject) };
  return { ...part, window: await windowOfLimit(db, facts, part) };
}

const aggregationOf = ({ meters }: EntitlementFacts, meterKey: string) =>
  meters.findLast(({ key }) => key === meterKey)?.aggregation ?? "sum";

/** A rolling window does not begin anew: where it denies, when what is asked fits again is looked for in its usage. */
export async function whenItFits(
  tx: Tx,
  facts: EntitlementFacts,
  decision: Decision,
  { asked, subject }: { readonly asked: Asked; readonly subject: Dimensions },
): Promise<Decision> {
  const { limit: state, reason } = decision;
  if (state === null || reason !== "limit_reached" || state.limit.window.type !== "rolling") return decision;
  const { limit, window } = state;
  const part = {
    limit,
    window,
    meterKey: asked.given.feature.meter ?? "",
    scope: scopeOfLimit(limit, subject),
  };
  const resetsAt = await fitsAgain(tx, facts, part, asked.quantity);
  return { ...decision, limit: { ...state, window: { ...window, resetsAt } } };
}
