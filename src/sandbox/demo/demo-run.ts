import { assignRequests } from "./assignment.ts";
import { castSize, type DemoCustomer, demoCustomers, roles } from "./customers.ts";
import { type Delivery, planDeliveries } from "./delivery.ts";
import type { DemoOptions } from "./options.ts";
import { type Timeline, timelineOf } from "./timeline.ts";
import { readTrace } from "./trace.ts";

/** One demo as it will be told: everything about it is fixed by its size. */
export interface DemoRun {
  /** Names its test clock, its usage events and its requests, so that demos of different sizes live side by side. */
  readonly name: string;
  readonly options: DemoOptions;
  readonly customers: readonly DemoCustomer[];
  /** The ids of those to whom something happens. */
  readonly cast: Readonly<Record<keyof typeof roles, string>>;
  readonly timeline: Timeline;
  readonly deliveries: readonly Delivery[];
}

/** The demo of a size; customers of all but the standard one, which `npm start` tells, have ids with the size in front. */
export function demoRun(options: DemoOptions): DemoRun {
  const isStandard = options.months === 1 && options.customers === castSize;
  const size = `${options.months}x${options.customers}`;
  const idOf = (id: string) => (isStandard ? id : `${size}.${id}`);
  const customers = demoCustomers(options.customers).map((customer) => ({
    ...customer,
    id: idOf(customer.id),
  }));
  const cast = {
    cancels: idOf(roles.cancels),
    upgrades: idOf(roles.upgrades),
    prepays: idOf(roles.prepays),
    cardFails: idOf(roles.cardFails),
  };
  const timeline = timelineOf(options.months);
  const trace = readTrace();
  const deliveries = timeline.months.flatMap((times, index) => {
    // Whoever canceled is gone after the first month.
    const present = index === 0 ? customers : customers.filter(({ id }) => id !== cast.cancels);
    const requests = assignRequests(trace, present, times.month);
    return planDeliveries(requests, { ...times, stops: timeline.stops, leaving: cast.cancels });
  });
  return { name: isStandard ? "demo" : `demo-${size}`, options, customers, cast, timeline, deliveries };
}
