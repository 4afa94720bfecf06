import "./versioning.ts";

export { billingCycle } from "./billing-cycle.ts";
export { collection } from "./collection.ts";
export { cycleClose } from "./cycle-close.ts";
export { dunning } from "./dunning.ts";
export { proration } from "./proration.ts";
export { refund } from "./refund.ts";
export { subscription } from "./subscription.ts";
export { testClock } from "./test-clock.ts";
export { topUp } from "./top-up.ts";
export { withdrawal } from "./withdrawal.ts";
