import { findTestClock, insertTestClock } from "../../db/billing/test-clocks.ts";
import type { Database } from "../../db/database.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { TemporalGateway } from "../../temporal/gateway.ts";
import type { TestClockCommands } from "../dependencies.ts";
import { RequestRefusedError } from "../refusals.ts";

/** Clocks that can be moved: a row that everybody reads, and a workflow that moves it with everything on it. */
export function testClockCommands(
  db: Database,
  gateway: TemporalGateway,
  areAllowed: boolean,
): TestClockCommands {
  async function read(id: string) {
    const clock = await findTestClock(db.orm, id);
    invariant(clock, `test clock ${id} exists`);
    return clock;
  }
  return {
    areAllowed,
    async create({ id, at }) {
      await insertTestClock(db.orm, id, at);
      const clock = await read(id);
      if (clock.currentAt !== at) {
        const message = `a test clock "${id}" exists already, at another time: choose another id`;
        throw new RequestRefusedError("test_clock_exists", message, "id");
      }
      await gateway.startTestClock({ clockId: id, now: isoOf(at) });
      return clock;
    },
    async advance({ id, to }) {
      await gateway.advanceTestClock(id, isoOf(to));
      return { ...(await read(id)), targetAt: to };
    },
  };
}
