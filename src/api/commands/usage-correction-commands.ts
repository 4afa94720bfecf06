import { inTransaction, sqlState, type Tx } from "../../db/database.ts";
import { findBackfill } from "../../db/usage/backfills.ts";
import {
  type CorrectionEvent,
  eventsOfCorrection,
  findCorrection,
  type StoredCorrection,
} from "../../db/usage/correction-reads.ts";
import {
  type Amendment,
  awaitCorrections,
  bookCorrection,
  type CorrectionDecision,
  decideCorrection,
  type EventName,
  type EventToCorrect,
  eventsToCorrect,
  type FoundEvent,
  measuredAmendment,
  metersToAmendWith,
  type RequestedCorrection,
  requestCorrection,
} from "../../db/usage/corrections.ts";
import type { StoredMeter } from "../../db/usage/meters-in-force.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import {
  backfillAfter,
  correctedEventsMax,
  type EventRefusal,
  obstacleToBooking,
  obstacleToCorrecting,
  UsageCorrectionImpossibleError,
  UsageCorrectionRefusedError,
  unapprovedEventsMaxUsual,
} from "../../domain/corrections/index.ts";
import { BillingError } from "../../domain/errors.ts";
import { canonicalJson, type JsonValue, parseEventData } from "../../domain/metering/index.ts";
import type { ApiDependencies, CommandContext } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { requireDecidable } from "./require-decidable.ts";

/** Who asks for what, and why; its id is made from the request, so the same request is the same correction. */
export type CorrectionReason = Pick<RequestedCorrection, "id" | "reasonCode" | "note">;

/** One event of a request; `data` is what it says from now on, null where it counts no more. */
export interface AskedEvent extends EventName {
  readonly data: unknown;
}

type Deps = Pick<ApiDependencies, "db" | "now" | "unapprovedCorrectionsMax">;

/**
 * Corrects events all together: at once where one key may, else it is written down and waits for another.
 * @throws UsageCorrectionRefusedError where one of the events cannot be corrected: nothing is written down
 */
export async function correctEvents(
  deps: Deps,
  asked: CorrectionReason & Pick<RequestedCorrection, "kind"> & { readonly events: readonly AskedEvent[] },
  context: CommandContext,
): Promise<void> {
  const { events, ...correction } = asked;
  await inTransaction(deps.db, async (tx) => {
    // This very request again, from a process that died before it could answer.
    if ((await findCorrection(tx, asked.id)) !== undefined) return;
    const meters = asked.kind === "amend" ? await metersToAmendWith(tx) : [];
    await awaitCorrections(tx);
    const known = await eventsToCorrect(tx, events);
    const seen = new Set<bigint>();
    const about = allOf(
      events,
      events.map((event, index) => judge(event, known[index], seen, meters)),
    );
    await ask(tx, deps, { ...correction, about: about.map(withData(asked.kind)) }, context);
    await bookIfAgreed(tx, asked.id, deps.now(), { about: asked.kind === "amend" ? about : [], meters });
  });
}

/** Takes back all of a backfill, which is closed with that; one that is being taken back already stays as it is. */
export async function revertBackfill(
  deps: Deps,
  asked: CorrectionReason & { readonly backfillId: string },
  context: CommandContext,
): Promise<void> {
  const { backfillId, ...correction } = asked;
  await inTransaction(deps.db, async (tx) => {
    await awaitCorrections(tx);
    const { state, revertId } = found(await findBackfill(tx, backfillId), "usage_backfill", backfillId);
    backfillAfter(state, "revert");
    if (revertId !== null) return;
    await ask(tx, deps, { ...correction, kind: "void", about: { backfillId } }, context);
    await bookIfAgreed(tx, asked.id, deps.now(), { about: [], meters: [] });
  }).catch((error: unknown) => {
    if (sqlState(error) !== "RK023") throw error;
    const message = "some of the backfill's events are archived, and are final: void the others by name";
    throw new UsageCorrectionImpossibleError("usage_event_archived", message);
  });
}

/** Decides about a correction that waits, once; the same decision by the same key again changes nothing. */
export async function decideUsageCorrection(
  deps: Deps,
  decision: CorrectionDecision,
  { actor }: CommandContext,
): Promise<void> {
  const [decidedBy, decidedAt] = [actor, deps.now()];
  const { correctionId: id } = decision;
  await inTransaction(deps.db, async (tx) => {
    const meters = decision.outcome === "approved" ? await metersToAmendWith(tx) : [];
    await awaitCorrections(tx);
    const stored = found(await findCorrection(tx, id), "usage_correction", id);
    if (stored.outcome === decision.outcome && stored.decidedBy === decidedBy) return;
    requireDecidable("usage_correction", stored, decision, decidedBy);
    const amended = decision.outcome === "approved" ? await amendmentsOf(tx, stored, meters) : [];
    await decideCorrection(tx, decision, { decidedBy, decidedAt });
    await bookIfAgreed(tx, id, decidedAt, { about: amended, meters });
  }).catch((error: unknown) => {
    if (sqlState(error) !== "RK022") throw error;
    const message = "an event was corrected since this was asked for: reject it, and ask for it anew";
    throw new UsageCorrectionImpossibleError("usage_event_changed", message);
  });
}

async function ask(
  tx: Tx,
  { now, unapprovedCorrectionsMax: unapprovedMax = unapprovedEventsMaxUsual }: Deps,
  asked: Omit<RequestedCorrection, "requestedBy" | "requestedAt" | "unapprovedMax">,
  { actor }: CommandContext,
): Promise<void> {
  await requestCorrection(tx, {
    ...asked,
    requestedBy: actor,
    requestedAt: now(),
    unapprovedMax,
  });
}

async function bookIfAgreed(
  tx: Tx,
  id: string,
  at: Instant,
  amended: { readonly about: readonly Amendment[]; readonly meters: readonly StoredMeter[] },
): Promise<void> {
  const stored = await findCorrection(tx, id);
  if (stored?.status === "executed") await bookCorrection(tx, id, at, amended.about, amended.meters);
}

const withData = (kind: RequestedCorrection["kind"]) => (event: FoundEvent) => ({
  ...event,
  data: kind === "amend" ? event.event.data : null,
});

/** The event as it will be, or why it cannot be corrected. */
function judge(
  { data }: AskedEvent,
  known: EventToCorrect | undefined,
  seen: Set<bigint>,
  meters: readonly StoredMeter[],
): Amendment | BillingError {
  const obstacle = obstacleToCorrecting(known ?? { standing: "unknown" });
  if (obstacle !== null) return obstacle;
  if (!known?.found) return new UsageCorrectionImpossibleError("usage_event_not_found", "no such event");
  if (seen.has(known.found.seq)) {
    return new UsageCorrectionImpossibleError("usage_event_repeated", "the event is in this request before");
  }
  seen.add(known.found.seq);
  if (data === null) return { ...known.found, contributions: [] };
  try {
    return amended(known.found, parseEventData(data), meters);
  } catch (error) {
    if (error instanceof BillingError) return error;
    throw error;
  }
}

function amended(
  { seq, event }: FoundEvent,
  data: Readonly<Record<string, JsonValue>>,
  meters: readonly StoredMeter[],
): Amendment | BillingError {
  if (canonicalJson(data) === canonicalJson(event.data)) {
    return new UsageCorrectionImpossibleError("usage_event_unchanged", "the event says this already", "data");
  }
  return measuredAmendment(meters, { seq, event: { ...event, data } });
}

/** What an approval makes count; measured with the meters of now. */
async function amendmentsOf(
  tx: Tx,
  { id, kind, backfillId }: StoredCorrection,
  meters: readonly StoredMeter[],
): Promise<Amendment[]> {
  // There may be any number of these: the database alone sees whether they are as they were.
  if (backfillId !== null) return [];
  const asked = await eventsOfCorrection(tx, id, correctedEventsMax);
  const known = await eventsToCorrect(tx, asked);
  const all = allOf(
    asked,
    asked.map((event, index) => judgeAgain(event, known[index], meters)),
  );
  return kind === "amend" ? all : [];
}

function judgeAgain(
  { data, afterSeq }: CorrectionEvent,
  known: EventToCorrect | undefined,
  meters: readonly StoredMeter[],
): Amendment | BillingError {
  const obstacle = obstacleToBooking(known ?? { standing: "unknown" }, afterSeq);
  if (obstacle !== null) return obstacle;
  if (!known?.found) return new UsageCorrectionImpossibleError("usage_event_not_found", "no such event");
  const { seq, event } = known.found;
  if (data === null) return { seq, event, contributions: [] };
  return measuredAmendment(meters, { seq, event: { ...event, data: parseEventData(data) } });
}

/** @throws UsageCorrectionRefusedError where one of them is a refusal */
function allOf(names: readonly EventName[], judged: readonly (Amendment | BillingError)[]): Amendment[] {
  const refusals = judged.flatMap((refusal, index): EventRefusal[] => {
    const { source = "", id = "" } = names[index] ?? {};
    return refusal instanceof BillingError ? [{ index, source, id, refusal }] : [];
  });
  if (refusals.length > 0) throw new UsageCorrectionRefusedError(refusals);
  return judged.filter((event): event is Amendment => !(event instanceof BillingError));
}
