import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import type { DemoApi } from "./demo-api.ts";
import type { DemoRun } from "./demo-run.ts";
import { inParallel } from "./in-parallel.ts";
import { sendUsage } from "./send-usage.ts";
import { demoStart, moments } from "./timeline.ts";

/** Where the story is shown while it is told. */
export interface Stage {
  /** Something has happened. */
  line(text: string): void;
  /** How much is done, from 0 to 1, and what is being done. */
  portion(done: number, doing: string): void;
}

/** What the customer on pro changes to. */
export const upgrade = { plan: "team", seats: 4 } as const;

/** Less than its buyer uses in the month. */
export const creditsBoughtMinor = "800";

/** What happens besides usage, in order; each at a stop of the clock. */
const happenings: readonly {
  readonly at: Instant;
  readonly told: string;
  readonly act: (api: DemoApi, cast: DemoRun["cast"]) => Promise<void>;
}[] = [
  {
    at: moments.creditsBought,
    told: "Fable Games buys 8.00 USD of prepaid credits",
    act: (api, { prepays }) => api.buyCredits(prepays, creditsBoughtMinor),
  },
  {
    at: moments.upgraded,
    told: "Elm Street Apps upgrades from pro to team with 4 seats, prorated to the millisecond",
    act: (api, { upgrades }) => api.changePlan(upgrades, upgrade),
  },
  {
    at: moments.cancellationAsked,
    told: "Cleo Lindqvist cancels at the end of the period",
    act: (api, { cancels }) => api.cancelAtPeriodEnd(cancels),
  },
  {
    at: moments.cardReplaced,
    told: "Grove Analytics changes to a card that will be declined",
    act: (api, { cardFails }) => api.setCard(cardFails, "pm_card_chargeCustomerFail", "failing-card"),
  },
  {
    at: moments.newCard,
    told: "Grove Analytics was declined, and again after three days; a new card is tried at once",
    act: (api, { cardFails }) => api.setCard(cardFails, "pm_card_visa", "new-card"),
  },
];

/** How many requests are under way at once. */
const requestsAtOnce = 6;

/**
 * Tells the story through the API. Every write has a key made from its fact, and what the clock has left behind is
 * done: a story that was interrupted goes on where it was.
 * @returns false when it had been told to its end before
 */
export async function tellStory(run: DemoRun, api: DemoApi, stage: Stage): Promise<boolean> {
  const { stops } = run.timeline;
  const work = portions(run);
  const from = (await api.clockAtRest()) ?? demoStart;
  if (from >= (stops.at(-1) ?? demoStart)) return false;
  if (from <= demoStart) {
    await begin(run, api, (customers) => stage.portion(customers / work.total, "customers"));
    stage.line(`${dayOf(demoStart)}  ${run.customers.length} customers with cards and subscriptions`);
  } else {
    stage.line(`${dayOf(from)}  continued from here`);
  }
  const deliveriesAt = Map.groupBy(run.deliveries, ({ at }) => at);
  for (const stop of stops.filter((each) => each >= from)) {
    const show = (doing: string) => stage.portion(work.before(stop) / work.total, `${dayOf(stop)}, ${doing}`);
    show("time passes");
    if (stop > from) await api.advance(stop, show);
    show("usage comes in");
    const deliveries = deliveriesAt.get(stop) ?? [];
    await sendUsage(api, run.name, deliveries);
    const happened = happenings.filter(({ at }) => at === stop);
    for (const { act } of happened) await act(api, run.cast);
    const told = [
      ...(deliveries.length > 0 ? [`${deliveries.length.toLocaleString("en")} usage events`] : []),
      ...happened.map((happening) => happening.told),
      ...(run.timeline.closings.has(stop) ? [closed] : []),
    ];
    for (const text of told) stage.line(`${dayOf(stop)}  ${text}`);
  }
  stage.portion(1, "done");
  return true;
}

const closed = "the period is closed: usage rated, invoices issued and collected";

async function begin(run: DemoRun, api: DemoApi, made: (customers: number) => void): Promise<void> {
  await api.publishCatalog();
  await api.createClock(demoStart);
  let count = 0;
  await inParallel(run.customers, requestsAtOnce, async (customer) => {
    await api.createCustomer(customer);
    await api.setCard(customer.id, customer.card, "first-card");
    await api.subscribe(customer);
    made(++count);
  });
}

/** Roughly how long each stop takes, in the time that it takes to make a customer. */
function portions({ customers, deliveries, timeline }: DemoRun) {
  const eventsAt = Map.groupBy(deliveries, ({ at }) => at);
  const weightOf = (stop: Instant) =>
    1 + (eventsAt.get(stop)?.length ?? 0) / 400 + (timeline.closings.has(stop) ? customers.length * 2 : 0);
  const sum = (stops: readonly Instant[]) =>
    stops.reduce((total, stop) => total + weightOf(stop), customers.length);
  return {
    total: sum(timeline.stops),
    before: (stop: Instant) => sum(timeline.stops.filter((each) => each < stop)),
  };
}

/** "2026-04-11 00:00" */
function dayOf(at: Instant): string {
  return isoOf(at).slice(0, 16).replace("T", " ");
}
