import type { Scene } from "../workflows/support/scene.ts";
import * as ahead from "./stories/agreed-ahead.ts";
import * as cycles from "./stories/cycles.ts";
import * as dunning from "./stories/dunning.ts";
import * as invoices from "./stories/invoices.ts";
import * as parked from "./stories/parked.ts";
import type { Recorded } from "./stories/recorded.ts";
import * as refusedStarts from "./stories/refused-starts.ts";
import * as subscriptions from "./stories/subscriptions.ts";

/** What is played for the record: every workflow, on every way that it can take which matters. */
export const paths: readonly ((scene: Scene) => Promise<Recorded>)[] = [
  subscriptions,
  ahead,
  cycles,
  invoices,
  dunning,
  parked,
  refusedStarts,
].flatMap((stories) => Object.values(stories));
