import { proxyActivities } from "@temporalio/workflow";

const { nothing } = proxyActivities<{ nothing(): Promise<void> }>({ startToCloseTimeout: "30s" });

/** As many steps as a cycle has, and nothing in them. */
export async function steps(count: number): Promise<void> {
  for (let step = 0; step < count; step++) await nothing();
}
