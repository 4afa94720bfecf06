import type { PlanKey } from "./catalog.ts";

/** A made-up customer of the demo. */
export interface DemoCustomer {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly plan: PlanKey;
  readonly seats: number;
  /** Its share of all requests, against the sum of all weights. */
  readonly weight: number;
  /** A test card of Stripe's, as a browser would hand it over. */
  readonly card: CardToken;
}

export type CardToken = "pm_card_visa" | "pm_card_mastercard" | "pm_card_amex" | "pm_card_chargeCustomerFail";

const cards: readonly CardToken[] = ["pm_card_visa", "pm_card_mastercard", "pm_card_amex"];

/** The customers to whom something happens in the first month. */
export const roles = {
  cancels: "cleo-lindqvist",
  upgrades: "elm-street-apps",
  prepays: "fable-games",
  cardFails: "grove-analytics",
} as const;

/** The dozen whose story the demo tells; their weights sum to 100. */
const cast = [
  person("ada-moreau", "Ada Moreau", "hobby", 3),
  person("ben-okafor", "Ben Okafor", "hobby", 2),
  person(roles.cancels, "Cleo Lindqvist", "hobby", 2),
  person("dara-studio", "Dara Studio", "pro", 5),
  person(roles.upgrades, "Elm Street Apps", "pro", 6),
  person(roles.prepays, "Fable Games", "pro", 7),
  person(roles.cardFails, "Grove Analytics", "pro", 4),
  company("harbor-systems", "Harbor Systems", "team", 5, 10),
  company("iris-health", "Iris Health", "team", 3, 9),
  company("juniper-bank", "Juniper Bank", "team", 8, 12),
  company("kestrel-aero", "Kestrel Aero", "enterprise", 25, 22),
  company("lumen-retail", "Lumen Retail", "enterprise", 12, 18),
] as const;

export const castSize = cast.length;

/** What a customer beyond the cast is: of twenty in a row, ten are on hobby, six on pro, three on team, one on enterprise. */
const generatedPlans: readonly { plan: PlanKey; share: number; seats: number; weight: number }[] = [
  { plan: "hobby", share: 10, seats: 1, weight: 2 },
  { plan: "pro", share: 6, seats: 1, weight: 6 },
  { plan: "team", share: 3, seats: 3, weight: 10 },
  { plan: "enterprise", share: 1, seats: 10, weight: 20 },
];

/** The first `count` customers: the cast, then generated ones, always the same. */
export function demoCustomers(count: number): DemoCustomer[] {
  const generated = Array.from({ length: Math.max(0, count - castSize) }, (_, index) => generate(index));
  return [...cast.slice(0, count), ...generated].map((customer, index) => ({
    ...customer,
    email: `billing@${customer.id}.example`,
    card: cards[index % cards.length] ?? "pm_card_visa",
  }));
}

type Sketch = Omit<DemoCustomer, "email" | "card">;

function person(id: string, name: string, plan: PlanKey, weight: number): Sketch {
  return { id, name, plan, seats: 1, weight };
}

function company(id: string, name: string, plan: PlanKey, seats: number, weight: number): Sketch {
  return { id, name, plan, seats, weight };
}

function generate(index: number): Sketch {
  const number = String(index + castSize + 1).padStart(5, "0");
  let place = index % 20;
  for (const { plan, share, seats, weight } of generatedPlans) {
    if (place < share) {
      const extraSeats = plan === "team" || plan === "enterprise" ? index % 5 : 0;
      return {
        id: `customer-${number}`,
        name: `Customer ${number}`,
        plan,
        seats: seats + extraSeats,
        weight,
      };
    }
    place -= share;
  }
  throw new RangeError("the shares of the generated plans sum to 20");
}
