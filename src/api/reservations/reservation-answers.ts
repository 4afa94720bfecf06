import type { z } from "zod";
import { storedCharge } from "../../db/entitlements/place-reservations.ts";
import type { StoredReceipt, StoredReservation } from "../../db/entitlements/stored-reservations.ts";
import type { StoredCharge, StoredPayment } from "../../db/schema/reservations.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { type HeldBucket, leftOf } from "../../domain/entitlements/index.ts";
import { type Decimal, storedDecimal, sumDecimals } from "../../domain/money/index.ts";
import type { receiptSchema, reservationSchema } from "../routes/reservation-schemas.ts";
import { isoOrNull } from "../wire.ts";
import type { ReservationRequest, Reserved } from "./reserve.ts";
import type { Settled, SettledReservation } from "./settle.ts";

type Answer = z.infer<typeof reservationSchema>;
type Receipt = z.infer<typeof receiptSchema>;

/** The answer to who has just reserved, or was denied. */
export function reservedAnswer(
  { id, customerId, user }: ReservationRequest,
  reserved: Exclude<Reserved, { status: "known" }>,
): Answer {
  const named = { id, customer: customerId, user };
  const { currency } = reserved.path.facts;
  if (reserved.status === "placed") {
    const { amount, charges, placedAt, expiresAt } = reserved.draft;
    const held = reserved.heldIn.map((part) => ({ ...part, grant: part.grantId }));
    return {
      ...named,
      ...{ granted: true, status: "open", currency, held_minor: amount.text },
      charges: charges.map((charge) => chargeAnswer(storedCharge(charge))),
      paid_from: paidFrom(amount, held),
      ...{ placed_at: isoOf(placedAt), expires_at: isoOf(expiresAt), denied_by: null, receipt: null },
    };
  }
  return {
    ...named,
    ...{ granted: false, status: "denied", currency, held_minor: "0", charges: [], paid_from: [] },
    ...{ placed_at: null, expires_at: null, denied_by: deniedAnswer(reserved), receipt: null },
  };
}

function deniedAnswer({
  reason,
  amount,
  cap,
}: Extract<Reserved, { status: "denied" }>): NonNullable<Answer["denied_by"]> {
  return {
    reason,
    level: cap?.level ?? null,
    holder: cap?.holder ?? null,
    cap: cap?.capId ?? null,
    limit_minor: cap?.limit.text ?? null,
    spent_minor: cap?.spent.text ?? null,
    held_minor: cap?.held.text ?? null,
    left_minor: cap === null ? null : leftOf(cap).text,
    asked_minor: amount.text,
    resets_at: isoOrNull(cap?.resetsAt ?? null),
  };
}

/** A reservation as it stands. */
export function reservationAnswer(stored: StoredReservation): Answer {
  const { id, customerId, userKey, currency, heldMinor, charges, placedAt, open, receipt } = stored;
  return {
    ...{ id, customer: customerId, user: userKey, granted: true, currency },
    status: receipt !== null ? "settled" : open !== null ? "open" : "expired",
    held_minor: storedDecimal(heldMinor).text,
    charges: charges.map(chargeAnswer),
    paid_from: open === null ? [] : paidFrom(storedDecimal(heldMinor), heldParts(open)),
    placed_at: isoOf(placedAt),
    expires_at: isoOf(open?.expiresAt ?? stored.expiresAt),
    denied_by: null,
    receipt: receipt === null ? null : receiptAnswer(receipt),
  };
}

export function receiptAnswer(stored: StoredReceipt): Receipt {
  const { reservationId, customerId, userKey, purpose, outcome, isLate, used, currency } = stored;
  return {
    ...{ id: reservationId, customer: customerId, user: userKey, purpose, outcome, late: isLate, currency },
    used: { ...used },
    charges: stored.charges.map(chargeAnswer),
    cost_minor: storedDecimal(stored.costMinor).text,
    paid_from: paidFrom(storedDecimal(stored.costMinor), paidParts(stored.payments ?? [])),
    held_minor: storedDecimal(stored.heldMinor).text,
    used_at: isoOf(stored.usedAt),
    settled_at: isoOf(stored.settledAt),
  };
}

/** The receipt of who has just settled. */
export function settledAnswer(
  reservation: SettledReservation & Pick<StoredReservation, "purpose" | "currency" | "heldMinor">,
  { status, draft, payments }: Settled,
): Receipt {
  return {
    ...{ id: reservation.id, customer: reservation.customerId, user: reservation.userKey },
    ...{ purpose: reservation.purpose, outcome: draft.outcome, late: status === "late" },
    used: { ...draft.used },
    charges: draft.charges.map((charge) => chargeAnswer(storedCharge(charge))),
    currency: reservation.currency,
    cost_minor: draft.cost.text,
    paid_from: paidFrom(draft.cost, paidParts(payments)),
    held_minor: storedDecimal(reservation.heldMinor).text,
    used_at: isoOf(reservation.placedAt),
    settled_at: isoOf(draft.settledAt),
  };
}

interface Part {
  readonly bucket: HeldBucket;
  readonly grant: string;
  readonly amount: Decimal;
}

/** Bucket by bucket in the order in which they pay; what none of them holds is on demand. */
function paidFrom(cost: Decimal, parts: readonly Part[]): Receipt["paid_from"] {
  const rest = cost.minus(sumDecimals(parts.map(({ amount }) => amount)));
  const held = parts.map(({ bucket, grant, amount }) => {
    return { bucket, credit_grant: grant, amount_minor: amount.text };
  });
  if (rest.isZero()) return held;
  return [...held, { bucket: "on_demand", credit_grant: null, amount_minor: rest.text }];
}

const heldParts = ({ grants, buckets, amounts }: NonNullable<StoredReservation["open"]>): Part[] =>
  (grants ?? []).flatMap((grant, index) => {
    const bucket = buckets?.[index];
    return bucket === undefined ? [] : [{ bucket, grant, amount: storedDecimal(amounts?.[index] ?? "0") }];
  });

/** What one grant paid of all charges. */
const paidParts = (payments: readonly StoredPayment[]): Part[] =>
  [...Map.groupBy(payments, ({ grant }) => grant)].map(([grant, own]) => ({
    bucket: own[0]?.bucket ?? "prepaid_credits",
    grant,
    amount: sumDecimals(own.map(({ amountMinor }) => storedDecimal(amountMinor))),
  }));

function chargeAnswer(charge: StoredCharge): Receipt["charges"][number] {
  const { subscription, plan, planVersion, price, meter, quantity, exactMinor } = charge;
  return { subscription, plan, plan_version: planVersion, price, meter, quantity, amount_minor: exactMinor };
}
