import { atMost } from "../../src/activities/at-most.ts";
import type { PageOptions } from "../../src/activities/close-due-page.ts";
import { instant } from "../../src/domain/calendar/index.ts";

/** How a page is closed where nothing else is said: at an instant, four together, three times at once, waiting for nobody. */
export const pageOptions = (now: string): PageOptions => ({
  now: instant(now),
  patienceMs: 0,
  windowSeconds: 0,
  usageWaitMsMax: 0,
  togetherMax: 4,
  withRoom: atMost(3),
  before: undefined,
  progress: () => {},
  isStopping: () => false,
  failing: new Map(),
  onFailure: () => {},
});
