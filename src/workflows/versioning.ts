import { setWorkflowOptions, workflowInfo } from "@temporalio/workflow";
import { billingCycle } from "./billing-cycle.ts";
import { collection } from "./collection.ts";
import { cycleClose } from "./cycle-close.ts";
import { dunning } from "./dunning.ts";
import { proration } from "./proration.ts";
import { refund } from "./refund.ts";
import { subscription } from "./subscription.ts";
import { testClock } from "./test-clock.ts";
import { topUp } from "./top-up.ts";
import { withdrawal } from "./withdrawal.ts";

/**
 * What becomes of a run when a newer build of the workers takes over. Those that live for weeks or years move to it with their
 * next task, so their code changes behind `patched()` only. The others end on the build that they began on, which keeps
 * its workers until then, and their code may change freely. Without versioned workers this means nothing.
 */
const behaviours = {
  AUTO_UPGRADE: [subscription, dunning, testClock],
  PINNED: [billingCycle, collection, cycleClose, proration, refund, topUp, withdrawal],
} as const;

for (const versioningBehavior of ["AUTO_UPGRADE", "PINNED"] as const) {
  // Of a worker that is not versioned the server refuses to hear of it; such a worker's deployment has no name.
  const options = () =>
    workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior } : {};
  for (const workflow of behaviours[versioningBehavior]) {
    setWorkflowOptions(options, workflow as (...input: never[]) => Promise<unknown>);
  }
}
