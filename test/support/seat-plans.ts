/** A catalog of two plans that ask for seats in advance, by the month, and are closed an hour after its end. */
export const seatPlans = { meters: [], plans: [seatPlan("solo", "1000"), seatPlan("team", "3000")] };

function seatPlan(key: string, unit_amount_minor: string) {
  return {
    key,
    name: key,
    currency: "usd",
    interval: { unit: "month" as const, count: 1 },
    grace_seconds: 3600,
    prices: [
      {
        type: "seat" as const,
        key: "seats",
        name: "Seats",
        product: "seats",
        timing: "in_advance" as const,
        unit_amount_minor,
        included_seats: 0,
      },
    ],
  };
}
