import { startVitest } from "vitest/node";
import { stopwatch } from "../figures.ts";

/**
 * So many invoices each way from a hostile Stripe: the test of it, at another size. It ends by comparing what Stripe was paid with
 * what is booked, charge by charge, and checks every invariant.
 */
export async function measureSoak({ invoices }: { invoices: number }) {
  process.env.HOSTILE_INVOICES = String(invoices);
  const seconds = stopwatch();
  const vitest = await startVitest("test", ["test/activities/hostile-stripe.test.ts"], {
    watch: false,
    maxWorkers: 1,
  });
  const failed = vitest.state.getCountOfFailedTests();
  await vitest.close();
  if (failed > 0) throw new Error(`${failed} of the soak's tests failed`);
  return { invoicesEachWay: invoices, seconds: seconds() };
}
