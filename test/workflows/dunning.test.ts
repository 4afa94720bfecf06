import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { DunningTerms } from "../../src/domain/lifecycle/index.ts";
import { disputeChanged, dunningCommanded, workflowIds } from "../../src/workflows/messages.ts";
import { resultOf } from "./support/runs.ts";
import { type Scene, type SceneClock, until } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";
import { declined, dunningFacts } from "./support/stand-ins.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.standIns.reset());

/** The first charge fails on the first of the month; the policy of the stand-in tries again after 3, 5 and 7 days. */
const day = (number: number, hour = 0) =>
  `2026-06-${String(number).padStart(2, "0")}T${String(hour).padStart(2, "0")}:00:00.000Z`;

/** An invoice whose first charge fails, on a clock of its own; what the later charges come to is up to the test. */
async function failing(firstDecline: "soft" | "hard" = "soft", terms?: Partial<DunningTerms>) {
  const { gateway, standIns, client } = scene;
  const clock = await scene.startClock(day(1));
  const invoiceId = scene.id("inv");
  standIns.on("payInvoice", declined(firstDecline));
  if (terms !== undefined) standIns.on("openDunning", () => dunningFacts({ ...usualTerms, ...terms }));
  const input = { invoiceId, customerId: scene.id("cus"), subscriptionId: scene.id("sub") };
  await gateway.startCollection({ ...input, clock: clock.reading() });
  expect(await resultOf(client, workflowIds.collection(invoiceId))).toBe("past_due");
  await until(() => standIns.asked("noteDunning").length === 1, "dunning is at work");
  return {
    clock,
    invoiceId,
    outcome: () => resultOf(client, workflowIds.dunning(invoiceId)),
    /** From now on the card works. */
    pays: () => standIns.on("payInvoice", () => paid(invoiceId, clock)),
    newCard: () => gateway.tellPaymentMethodUpdated(invoiceId, clock.reading(), scene.id("req")),
    disputed: (isOpen: boolean, disputeId = "dp_1") =>
      gateway.tellDunning(invoiceId, clock.reading(), disputeChanged, {
        disputeId,
        isOpen,
        cause: scene.id("evt"),
      }),
    commanded: (command: "retry" | "stop", requestId = scene.id("req")) =>
      gateway.tellDunning(invoiceId, clock.reading(), dunningCommanded, {
        command,
        requestId,
        cause: scene.id("told"),
      }),
  };
}

const usualTerms: DunningTerms = { retryAfterDays: [3, 5, 7], finalAction: "cancel", accessGraceDays: 7 };

async function paid(invoiceId: string, clock: SceneClock) {
  await scene.paymentBooked(invoiceId, clock);
  return { status: "paid" } as const;
}

/** Each charge after the first: who caused it, and when. */
const attempts = () =>
  scene.standIns
    .asked("payInvoice")
    .slice(1)
    .map(({ attempt, cause, at }) => `${attempt} ${cause} ${at.slice(8, 13)}`);

const ends = () =>
  scene.standIns.asked("endDunning").map(({ outcome, at }) => `${outcome} ${at.slice(8, 13)}`);

describe("a card that may work later", () => {
  test("is tried by the policy's schedule, and the invoice given up after the last attempt", async () => {
    const { clock, outcome } = await failing();
    await clock.advance(day(30));
    expect(attempts()).toEqual(["2 schedule 04T00", "3 schedule 06T00", "4 schedule 08T00"]);
    expect(ends()).toEqual(["exhausted 08T00"]);
    expect(scene.standIns.steps().slice(-2)).toEqual(["giveUpInvoice", "endDunning"]);
    expect(await outcome()).toBe("exhausted");
  });

  test("whose invoice is paid by its link while it is being given up has recovered", async () => {
    const { clock, outcome } = await failing();
    scene.standIns.on("giveUpInvoice", () => ({ status: "paid" }));
    await clock.advance(day(30));
    expect(ends()).toEqual(["recovered 08T00"]);
    expect(await outcome()).toBe("recovered");
  });

  test("that works at the second retry ends it", async () => {
    const { clock, pays, outcome } = await failing();
    await clock.advance(day(5));
    pays();
    await clock.advance(day(30));
    expect(attempts()).toEqual(["2 schedule 04T00", "3 schedule 06T00"]);
    expect(ends()).toEqual(["recovered 06T00"]);
    expect(await outcome()).toBe("recovered");
  });
});

describe("a new payment method", () => {
  test("is tried at once", async () => {
    const { clock, pays, newCard, outcome } = await failing();
    await clock.advance(day(2, 10));
    pays();
    await newCard();
    expect(await outcome()).toBe("recovered");
    expect(attempts()).toEqual(["2 new_payment_method 02T10"]);
    await clock.advance(day(30));
    expect(attempts()).toHaveLength(1);
  });

  test("that is declined too uses up no attempt of the schedule", async () => {
    const { clock, newCard } = await failing();
    await clock.advance(day(2, 10));
    await newCard();
    await clock.advance(day(30));
    expect(attempts()).toEqual([
      "2 new_payment_method 02T10",
      "3 schedule 04T00",
      "4 schedule 06T00",
      "5 schedule 08T00",
    ]);
  });

  test("that comes while the last attempt is being made is tried before the invoice is given up", async () => {
    const { clock, pays, newCard, outcome, invoiceId } = await failing();
    await clock.advance(day(7));
    scene.standIns.on("payInvoice", async () => {
      await newCard();
      pays();
      return declined("soft")();
    });
    await clock.advance(day(30));
    expect(attempts()).toEqual([
      "2 schedule 04T00",
      "3 schedule 06T00",
      "4 schedule 08T00",
      "5 new_payment_method 08T00",
    ]);
    expect(await outcome()).toBe("recovered");
    expect(scene.standIns.asked("giveUpInvoice")).toEqual([]);
    expect(scene.standIns.collectedBy.get(invoiceId)).toBe(workflowIds.dunning(invoiceId));
  });
});

describe("a card that will never work again", () => {
  test("is not tried again: without another one the invoice is given up on the schedule's last day", async () => {
    const { clock, outcome } = await failing("hard");
    await clock.advance(day(30));
    expect(attempts()).toEqual([]);
    expect(scene.standIns.asked("noteDunning")).toMatchObject([
      { state: "awaiting_payment_method", nextAt: day(8), why: "decline_needs_other_method" },
    ]);
    expect(ends()).toEqual(["exhausted 08T00"]);
    expect(await outcome()).toBe("exhausted");
  });

  test("is replaced: the new one is tried at once", async () => {
    const { clock, pays, newCard, outcome } = await failing("hard");
    await clock.advance(day(5));
    pays();
    await newCard();
    expect(await outcome()).toBe("recovered");
    expect(attempts()).toEqual(["2 new_payment_method 05T00"]);
  });

  test("is replaced by one that may work later: what the schedule has missed meanwhile is not made up for", async () => {
    const { clock, newCard } = await failing("hard");
    await clock.advance(day(7));
    scene.standIns.on("payInvoice", declined("soft"));
    await newCard();
    await clock.advance(day(30));
    expect(attempts()).toEqual(["2 new_payment_method 07T00", "3 schedule 08T00"]);
  });
});

describe("an invoice that changes elsewhere", () => {
  test.each([
    { status: "paid", outcome: "recovered" },
    { status: "void", outcome: "closed" },
  ] as const)("$status: dunning ends as $outcome, with no further charge", async ({ status, outcome }) => {
    const dunning = await failing();
    await dunning.clock.advance(day(2));
    scene.standIns.on("readInvoiceStatus", () => ({ status }));
    await scene.paymentBooked(dunning.invoiceId, dunning.clock);
    expect(await dunning.outcome()).toBe(outcome);
    expect(ends()).toEqual([`${outcome} 02T00`]);
    await dunning.clock.advance(day(30));
    expect(attempts()).toEqual([]);
  });

  test("paid while the last attempt is declined: recovered, not given up", async () => {
    const { clock, invoiceId, outcome } = await failing();
    await clock.advance(day(7));
    scene.standIns.on("payInvoice", async () => {
      scene.standIns.on("readInvoiceStatus", () => ({ status: "paid" }));
      await scene.paymentBooked(invoiceId, clock);
      return declined("soft")();
    });
    await clock.advance(day(30));
    expect(await outcome()).toBe("recovered");
    expect(scene.standIns.asked("giveUpInvoice")).toEqual([]);
  });

  test("but is still open: dunning goes on as planned", async () => {
    const { clock, invoiceId } = await failing();
    await scene.paymentBooked(invoiceId, clock);
    await clock.advance(day(30));
    expect(attempts()).toHaveLength(3);
  });
});

/** What was noted, as `disputed disputed` or `retrying schedule 04T00`, each once in a row. */
const noted = () =>
  scene.standIns
    .asked("noteDunning")
    .map(({ state, why, nextAt }) => `${state} ${why} ${nextAt?.slice(8, 13) ?? "never"}`)
    .filter((note, index, all) => note !== all[index - 1]);

describe("a dispute", () => {
  test("holds the dunning; afterwards it goes on as much later as the dispute lasted", async () => {
    const { clock, disputed } = await failing();
    await clock.advance(day(2));
    await disputed(true);
    await clock.advance(day(10));
    expect(attempts()).toEqual([]);
    await disputed(false);
    await clock.advance(day(30));
    expect(attempts()).toEqual(["2 schedule 12T00", "3 schedule 14T00", "4 schedule 16T00"]);
    expect(noted().slice(0, 4)).toEqual([
      "retrying schedule 04T00",
      "disputed disputed never",
      "retrying schedule 12T00",
      "retrying schedule 14T00",
    ]);
  });

  test("that was open before holds it from the beginning, and a payment ends it all the same", async () => {
    scene.standIns.on("openDunning", () => ({ ...dunningFacts(usualTerms), disputes: ["dp_0"] }));
    const dunning = await failing();
    await dunning.clock.advance(day(20));
    expect(attempts()).toEqual([]);
    scene.standIns.on("readInvoiceStatus", () => ({ status: "paid" }));
    await scene.paymentBooked(dunning.invoiceId, dunning.clock);
    expect(await dunning.outcome()).toBe("recovered");
  });
});

describe("an operator", () => {
  test("has it tried now, once however often the run is told", async () => {
    const { clock, commanded } = await failing();
    await clock.advance(day(2));
    await commanded("retry", "req-1");
    await commanded("retry", "req-1");
    await clock.advance(day(30));
    expect(attempts()).toEqual([
      "2 operator 02T00",
      "3 schedule 04T00",
      "4 schedule 06T00",
      "5 schedule 08T00",
    ]);
  });

  test("ends it: nothing more is tried, and nothing is given up", async () => {
    const { clock, commanded, outcome } = await failing("hard");
    await clock.advance(day(2));
    await commanded("stop");
    expect(await outcome()).toBe("stopped");
    await clock.advance(day(30));
    expect(ends()).toEqual(["stopped 02T00"]);
    expect(scene.standIns.asked("giveUpInvoice")).toEqual([]);
  });
});

describe("what networks allow", () => {
  const withheld = (until: string | null) => () => ({ status: "withheld", until }) as const;

  test("a first charge that was withheld is made when it may be", async () => {
    const clock = await scene.startClock(day(1));
    const invoiceId = scene.id("inv");
    scene.standIns.on("payInvoice", withheld(day(6)));
    const input = { invoiceId, customerId: scene.id("cus"), subscriptionId: scene.id("sub") };
    await scene.gateway.startCollection({ ...input, clock: clock.reading() });
    expect(await resultOf(scene.client, workflowIds.collection(invoiceId))).toBe("past_due");
    scene.standIns.on("payInvoice", () => paid(invoiceId, clock));
    await clock.advance(day(30));
    expect(attempts()).toEqual(["2 schedule 06T00"]);
    expect(await resultOf(scene.client, workflowIds.dunning(invoiceId))).toBe("recovered");
  });

  test("a card that may never be charged again is waited out like one that is hard-declined", async () => {
    const { clock } = await failing();
    scene.standIns.on("payInvoice", withheld(null));
    await clock.advance(day(30));
    expect(attempts()).toEqual(["2 schedule 04T00"]);
    expect(noted().at(-1)).toBe("awaiting_payment_method card_may_not_be_charged 08T00");
    expect(ends()).toEqual(["exhausted 08T00"]);
  });
});

test("access changes at its own instants, and what is to be said is said once", async () => {
  const access = [
    { days: 2, level: "limited" as const },
    { days: 4, hours: 12, level: "ended" as const },
  ];
  const { clock } = await failing("soft", { access, notices: { attemptFailed: null } });
  await clock.advance(day(30));
  const said = [...scene.standIns.asked("noteDunning"), ...scene.standIns.asked("endDunning")].flatMap(
    ({ at, sayings }) =>
      sayings.flatMap(({ notices }) => notices.map(({ notice }) => `${at.slice(8, 13)} ${notice}`)),
  );
  expect(said).toEqual(["03T00 access_limited", "05T12 access_ended", "08T00 payment_given_up"]);
});
