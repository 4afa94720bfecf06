import { describe, expect, test } from "vitest";
import { Gate } from "../../src/sdk/usage/gate.ts";

/** The gate at 1,000 ms, with a first pause of at most 100 ms, the longest of 1,000; `chance` is how random falls. */
function newGate(chance: number) {
  const clock = { now: 1_000, wallMs: () => 0, monotonicMs: () => clock.now, random: () => chance };
  return { gate: new Gate({ backoffFirstMs: 100, backoffMaxMs: 1_000 }, clock), clock };
}

describe("after a failure", () => {
  test.each([
    { failures: 1, chance: 0.5, pauseMs: 50, why: "½ of 100" },
    { failures: 2, chance: 0.5, pauseMs: 100, why: "½ of 200" },
    { failures: 4, chance: 0.25, pauseMs: 200, why: "¼ of 800" },
    { failures: 9, chance: 0.5, pauseMs: 500, why: "½ of the longest" },
    { failures: 3, chance: 0, pauseMs: 0, why: "full jitter begins at nothing" },
  ])("number $failures in a row the pause is $pauseMs ms: $why", ({ failures, chance, pauseMs }) => {
    const { gate, clock } = newGate(chance);
    for (let failure = 0; failure < failures; failure++) {
      clock.now = Math.max(clock.now, gate.opensAtMs);
      gate.fail();
    }
    expect(gate.opensAtMs - clock.now).toBe(pauseMs);
    expect([gate.isOpen, gate.width(4)]).toEqual([false, pauseMs === 0 ? 1 : 0]);
    clock.now += pauseMs;
    expect(gate.width(4)).toBe(1); // one tries
    gate.pass();
    expect([gate.isOpen, gate.width(4)]).toEqual([true, 4]);
  });

  test("those that fail together are one failure", () => {
    const { gate, clock } = newGate(0.5);
    for (let request = 0; request < 4; request++) gate.fail();
    expect(gate.opensAtMs - clock.now).toBe(50);
  });

  test.each([
    { wishMs: 3_000, pauseMs: 3_050, why: "not before, and not all at once" },
    { wishMs: 365 * 86_400_000, pauseMs: 600_050, why: "ten minutes are believed" },
  ])("the API's wish for $wishMs ms makes a pause of $pauseMs: $why", ({ wishMs, pauseMs }) => {
    const { gate, clock } = newGate(0.5);
    gate.fail(wishMs);
    clock.now += 100;
    gate.pass(); // of a request that was under way before
    expect(gate.isOpen).toBe(false);
    expect(gate.opensAtMs).toBe(1_000 + pauseMs);
  });
});
