import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { AnomaliesPage } from "./anomalies/anomalies-page.tsx";
import { AnomalyPage } from "./anomalies/anomaly-page.tsx";
import { anomalyKinds, anomalyStates } from "./anomalies/describe-anomaly.ts";
import { RulesPage } from "./anomalies/rules-page.tsx";
import { ApprovalsPage } from "./approvals/approvals-page.tsx";
import { CorrectionsTab } from "./corrections/corrections-tab.tsx";
import { CreditsTab } from "./credits/credits-tab.tsx";
import { CustomerPage } from "./customer/customer-page.tsx";
import { EntriesTab } from "./customer/entries-tab.tsx";
import { InvoicesTab } from "./customer/invoices-tab.tsx";
import { subscriptionStatuses } from "./customer/leading-status.ts";
import { OverviewTab } from "./customer/overview-tab.tsx";
import { CustomersPage } from "./customers/customers-page.tsx";
import { EventPage } from "./event/event-page.tsx";
import { InvoicePage } from "./invoice/invoice-page.tsx";
import { LineEventsPage } from "./invoice/line-events-page.tsx";
import { OperationsPage } from "./operations/operations-page.tsx";
import { EmptyNotice, ProblemNotice } from "./parts/notices.tsx";
import type { CustomerFilter, EventName } from "./reads/queries.ts";
import type { AnomalyFilter, Months, TimelineAbout } from "./reads/report-queries.ts";
import { type RunChoice, runChoices } from "./reads/running-queries.ts";
import { Shell } from "./shell/shell.tsx";
import { timelineAbouts } from "./timeline/timeline-abouts.ts";
import { TimelineTab } from "./timeline/timeline-tab.tsx";

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => (
    <EmptyNotice title="There is no such page">Check the address, or start from the customers.</EmptyNotice>
  ),
});

const start = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/customers" });
  },
});

/** What is not given is left out of the address. */
const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

const customers = createRoute({
  getParentRoute: () => root,
  path: "/customers",
  component: CustomersPage,
  validateSearch: (search: Record<string, unknown>): CustomerFilter => ({
    search: text(search.search),
    status: subscriptionStatuses.find((status) => status === search.status),
  }),
});

const approvals = createRoute({ getParentRoute: () => root, path: "/approvals", component: ApprovalsPage });

const anomalies = createRoute({
  getParentRoute: () => root,
  path: "/anomalies",
  component: AnomaliesPage,
  validateSearch: (search: Record<string, unknown>): AnomalyFilter => ({
    kind: anomalyKinds.find((kind) => kind === search.kind),
    state: anomalyStates.find((state) => state === search.state),
  }),
});
const anomalyRules = createRoute({
  getParentRoute: () => root,
  path: "/anomalies/rules",
  component: RulesPage,
});
const anomaly = createRoute({
  getParentRoute: () => root,
  path: "/anomalies/$anomalyId",
  component: AnomalyPage,
});

const month = (value: unknown): string | undefined => {
  const given = text(value);
  return given !== undefined && /^\d{4}-(0[1-9]|1[0-2])$/.test(given) ? given : undefined;
};
const monthsOf = (search: Record<string, unknown>): Months => ({
  from: month(search.from),
  to: month(search.to),
});

const finance = createRoute({
  getParentRoute: () => root,
  path: "/finance",
  component: lazyRouteComponent(() => import("./finance/finance-page.tsx"), "FinancePage"),
  validateSearch: monthsOf,
});
const product = createRoute({
  getParentRoute: () => root,
  path: "/product",
  component: lazyRouteComponent(() => import("./product/product-page.tsx"), "ProductPage"),
  validateSearch: monthsOf,
});
const operations = createRoute({
  getParentRoute: () => root,
  path: "/operations",
  component: OperationsPage,
  validateSearch: (search: Record<string, unknown>): { readonly runs?: RunChoice | undefined } => ({
    runs: (Object.keys(runChoices) as RunChoice[]).find((choice) => choice === search.runs),
  }),
});

const customer = createRoute({
  getParentRoute: () => root,
  path: "/customers/$customerId",
  component: CustomerPage,
});

const overview = createRoute({ getParentRoute: () => customer, path: "/", component: OverviewTab });
const invoices = createRoute({ getParentRoute: () => customer, path: "/invoices", component: InvoicesTab });
const invoice = createRoute({
  getParentRoute: () => customer,
  path: "/invoices/$invoiceId",
  component: InvoicePage,
});
const lineEvents = createRoute({
  getParentRoute: () => customer,
  path: "/invoices/$invoiceId/lines/$line",
  component: LineEventsPage,
});
/** In the search, because source and id may hold any characters. */
const event = createRoute({
  getParentRoute: () => customer,
  path: "/event",
  component: EventPage,
  validateSearch: (search: Record<string, unknown>): EventName => ({
    source: text(search.source) ?? "",
    id: text(search.id) ?? "",
  }),
});
const credits = createRoute({ getParentRoute: () => customer, path: "/credits", component: CreditsTab });
const corrections = createRoute({
  getParentRoute: () => customer,
  path: "/corrections",
  component: CorrectionsTab,
});
const entries = createRoute({ getParentRoute: () => customer, path: "/entries", component: EntriesTab });

const timeline = createRoute({
  getParentRoute: () => customer,
  path: "/timeline",
  component: TimelineTab,
  validateSearch: (search: Record<string, unknown>): { readonly about?: TimelineAbout | undefined } => ({
    about: timelineAbouts.find((about) => about === search.about),
  }),
});

/** Of what and when usage is shown; `from` and `to` are instants, and `to` is left out of the period. */
interface UsageSearch {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly meter?: string | undefined;
  readonly by?: string | undefined;
}

const usage = createRoute({
  getParentRoute: () => customer,
  path: "/usage",
  // The charts are more than half of the code: only this page waits for them.
  component: lazyRouteComponent(() => import("./usage/usage-tab.tsx"), "UsageTab"),
  validateSearch: (search: Record<string, unknown>): UsageSearch => ({
    from: instantText(search.from),
    to: instantText(search.to),
    meter: text(search.meter),
    by: text(search.by),
  }),
});

const instantText = (value: unknown): string | undefined => {
  const instant = text(value);
  return instant === undefined || Number.isNaN(Date.parse(instant))
    ? undefined
    : new Date(instant).toISOString();
};

export const router = createRouter({
  routeTree: root.addChildren([
    start,
    customers,
    approvals,
    anomalies,
    anomalyRules,
    anomaly,
    finance,
    product,
    operations,
    customer.addChildren([
      overview,
      invoices,
      invoice,
      lineEvents,
      event,
      usage,
      corrections,
      credits,
      entries,
      timeline,
    ]),
  ]),
  basepath: "/console",
  // Everything in an address is text: an id of digits stays an id.
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search) => {
    const given = Object.entries(search).filter(([, value]) => value !== undefined);
    return given.length === 0
      ? ""
      : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
  },
  scrollRestoration: true,
  defaultErrorComponent: ({ error, reset }) => (
    <ProblemNotice error={error instanceof Error ? error : new Error(String(error))} onRetry={reset} />
  ),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
