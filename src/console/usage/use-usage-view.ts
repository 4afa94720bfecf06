import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import type { Meter } from "../reads/resources.ts";
import type { ChosenPeriod } from "./usage-periods.ts";

const route = getRouteApi("/customers/$customerId/usage");
const recentMs = 30 * 86_400_000;

/** What the usage tab shows. */
export interface UsageView {
  readonly meter: Meter;
  /** The dimension told apart; null: all as one. */
  readonly by: string | null;
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
}

export interface UsageViewChange {
  readonly meter?: string;
  readonly by?: string;
  readonly from?: string;
  readonly to?: string;
}

/** In the address for "all as one"; what is left out there is chosen here. */
export const allAsOne = "all";

/** The view that the address asks for, and a way to ask for another. */
export function useUsageView(meters: readonly Meter[], periods: readonly ChosenPeriod[]) {
  const asked = route.useSearch();
  const navigate = route.useNavigate();
  const [openedAt] = useState(() => Date.now());
  const meter = meters.find(({ key }) => key === asked.meter) ?? meters[0];
  if (meter === undefined) throw new Error("usage is shown of a catalog with meters");
  const dimensions = meter.dimensions ?? [];
  const by =
    asked.by === allAsOne ? null : (dimensions.find((name) => name === asked.by) ?? dimensions[0] ?? null);
  const view: UsageView = { meter, by, ...periodAsked(asked, periods, openedAt) };
  const change = (next: UsageViewChange) => navigate({ search: (before) => ({ ...before, ...next }) });
  return { view, change };
}

/** The period of the address; else the latest that is known; else the last thirty days. */
function periodAsked(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  [latest]: readonly ChosenPeriod[],
  openedAt: number,
): { from: string; to: string } {
  if (from !== undefined && to !== undefined && from < to) return { from, to };
  if (latest !== undefined) return { from: latest.from, to: latest.to };
  return { from: new Date(openedAt - recentMs).toISOString(), to: new Date(openedAt).toISOString() };
}
