import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import {
  type HeldBucket,
  type PayingGrant,
  paysForAll,
  type RequestCharge,
} from "../../domain/entitlements/index.ts";
import { accountKey, creditsOfGrant } from "../../domain/ledger/index.ts";
import type { UsageEvent } from "../../domain/metering/index.ts";
import { type Decimal, storedDecimal } from "../../domain/money/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import type { Client } from "../renewed-connection.ts";
import type { StoredCharge } from "../schema/reservations.ts";
import type { SpendingPath } from "./spending-path.ts";

/** What a request may cost at most, to be set aside wherever it counts. */
export interface ReservationDraft {
  /** Of the request; its reservation has it for ever. */
  readonly id: string;
  /** Equal for two that ask the same. */
  readonly requestHash: string;
  readonly customerId: string;
  readonly user: string | null;
  /** What it is for, such as a background job. */
  readonly purpose: string | null;
  readonly eventType: string;
  readonly worstCase: UsageEvent["data"];
  readonly charges: readonly RequestCharge[];
  /** What the charges come to, in minor units. */
  readonly amount: Decimal;
  readonly placedAt: Instant;
  readonly expiresAt: Instant;
}

/** A draft with where it counts, as far as that is known. */
export interface PlacedDraft {
  readonly draft: ReservationDraft;
  readonly path: SpendingPath;
}

/** A slot of the path into which it does not fit, with what is spent and held there. */
export interface DeniedSlot {
  readonly slot: number;
  readonly spent: Decimal;
  readonly held: Decimal;
}

/** outdated: where it counts has changed, nothing was placed, and it may be placed anew. */
export type PlacementOutcome =
  | { readonly status: "placed"; readonly heldIn: readonly HeldPart[] }
  | { readonly status: "exists" | "exists_different" | "outdated" }
  | { readonly status: "denied"; readonly denied: readonly DeniedSlot[] };

/** What is set aside for a request in one grant; what nothing is set aside for is on demand. */
export interface HeldPart {
  readonly bucket: HeldBucket;
  readonly grantId: string;
  /** In minor units. */
  readonly amount: Decimal;
}

/** What `billing.write_reservations` says of one that was asked. */
export interface PlacedRow {
  readonly status: PlacementOutcome["status"];
  readonly denied_slots: number[] | null;
  readonly denied_held: string[] | null;
  readonly denied_spent: string[] | null;
  readonly paid_pays: number[] | null;
  readonly paid_amounts: string[] | null;
}

/** More than any cap: what is counted without a limit. */
const boundless = "1e40";

/** Requests to be placed in their order, each whole or not at all, as `billing.reservation_placing`. @param drafts with different ids */
export function placingOf(sql: Client, drafts: readonly PlacedDraft[]) {
  const slots = drafts.flatMap(({ path }) => path.slots);
  const counters = [...new Set(slots.map(({ counter }) => counter))].toSorted((one, other) =>
    one < other ? -1 : 1,
  );
  const placeOf = new Map(counters.map((counter, index) => [counter, index + 1]));
  let slotsUntil = 0;
  const ends = drafts.map(({ path }) => {
    slotsUntil += path.slots.length;
    return `${slotsUntil}`;
  });
  const list = (textOf: (draft: ReservationDraft, path: SpendingPath) => string | null) =>
    arrayLiteral(drafts.map(({ draft, path }) => textOf(draft, path)));
  const paying = drafts.map(payingFor);
  const { grants, places, until } = placedGrants(paying, drafts);
  return sql`row(
      ${arrayLiteral(counters.map(String))}::text::int8[],
      ${list(({ id }) => id)}::text::text[], ${list(({ requestHash }) => requestHash)}::text::uuid[],
      ${list(({ customerId }) => customerId)}::text::text[], ${list(({ user }) => user)}::text::text[],
      ${list(({ purpose }) => purpose)}::text::text[], ${list(({ eventType }) => eventType)}::text::text[],
      ${list(({ worstCase }) => JSON.stringify(worstCase))}::text::text[],
      ${list(({ charges }) => JSON.stringify(charges.map(storedCharge)))}::text::text[],
      ${list((_, { facts }) => facts.currency)}::text::text[],
      ${list(({ amount }) => amount.text)}::text::numeric[],
      ${list((_, { spenders }) => `{${spenders.join()}}`)}::text::text[],
      ${list((_, { facts }) => `${facts.isOnTestClock}`)}::text::boolean[],
      ${list(({ placedAt }) => isoOf(placedAt))}::text::timestamptz[],
      ${list(({ expiresAt }) => isoOf(expiresAt))}::text::timestamptz[],
      ${arrayLiteral(ends)}::text::int4[],
      ${arrayLiteral(slots.map(({ counter }) => `${placeOf.get(counter)}`))}::text::int4[],
      ${arrayLiteral(slots.map(({ limit }) => limit?.text ?? boundless))}::text::numeric[],
      ${arrayLiteral([...grants.keys()])}::text::text[], ${arrayLiteral([...grants.values()])}::text::text[],
      ${arrayLiteral(until)}::text::int4[], ${arrayLiteral(places)}::text::int4[],
      ${arrayLiteral(paying.flat().map(({ bucket }) => bucket))}::text::text[]
    )::billing.reservation_placing`;
}

/** What may pay for a request, in its order; nothing need be set aside for one that costs nothing. */
function payingFor({ draft: { charges, amount }, path }: PlacedDraft): PayingGrant[] {
  if (amount.isZero() || path.paying.length === 0) return [];
  const charged = charges.map(({ of }) => of);
  return path.paying.filter(({ grant }) => paysForAll(grant.scope, charged));
}

/** Each grant once, with its account; where those of each request are among them, counted from one, and where they end. */
function placedGrants(paying: readonly (readonly PayingGrant[])[], drafts: readonly PlacedDraft[]) {
  const accounts = new Map(
    paying.flatMap((own, index) =>
      own.map(({ grant: { kind, id, currency } }) => {
        const customerId = drafts[index]?.draft.customerId ?? "";
        return [id, accountKey(creditsOfGrant(kind, customerId, id, currency))] as const;
      }),
    ),
  );
  const grants = new Map([...accounts].toSorted(([one], [other]) => (one < other ? -1 : 1)));
  const placeOf = new Map([...grants.keys()].map((id, index) => [id, index + 1]));
  let end = 0;
  const until = paying.map((own) => {
    end += own.length;
    return `${end}`;
  });
  return { grants, until, places: paying.flat().map(({ grant }) => `${placeOf.get(grant.id)}`) };
}

export function placementOutcome(draft: PlacedDraft, row: PlacedRow): PlacementOutcome {
  const paying = payingFor(draft);
  const { status, denied_slots, denied_held, denied_spent, paid_pays, paid_amounts } = row;
  if (status === "placed") {
    return {
      status,
      heldIn: (paid_pays ?? []).flatMap((pay, index) => {
        const { grant, bucket } = paying[pay] ?? {};
        if (grant === undefined || bucket === undefined) return [];
        return [{ bucket, grantId: grant.id, amount: storedDecimal(paid_amounts?.[index] ?? "0") }];
      }),
    };
  }
  if (status !== "denied") return { status };
  const amount = (texts: string[] | null, index: number) => storedDecimal(texts?.[index] ?? "0");
  return {
    status,
    denied: (denied_slots ?? []).map((slot, index) => {
      return { slot, spent: amount(denied_spent, index), held: amount(denied_held, index) };
    }),
  };
}

/** A charge as reservations and receipts keep it. */
export const storedCharge = (charge: RequestCharge): StoredCharge => ({
  subscription: charge.subscriptionId,
  plan: charge.planKey,
  planVersion: charge.planVersion,
  price: charge.priceKey,
  meter: charge.meterKey,
  quantity: charge.quantity.text,
  exactMinor: charge.exactMinor.text,
});
