import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { openDatabase } from "../src/db/database.ts";
import { fileSealStore, sealLedger, verifySeals } from "../src/db/seals/ledger-seals.ts";
import { allFindings, verifyLedger } from "../src/db/seals/ledger-verification.ts";
import { createProgress } from "../src/sandbox/local-services/progress.ts";
import { loadNow, thisMachine, writeFigures } from "./figures.ts";
import { type RateRun, rateWatch } from "./ledger/calls.ts";
import { type LedgerUnderTest, openLedgerUnderTest } from "./ledger/ledger-under-test.ts";
import { fillUp } from "./ledger/whole-ledger.ts";

/** `npm run bench:seals`: how fast entries are sealed in bulk, and the whole ledger is verified afterwards. */
const { values: flags } = parseArgs({
  options: {
    runs: { type: "string", default: "3" },
    entries: { type: "string", default: "100000" },
    customers: { type: "string", default: "20000" },
    out: { type: "string" },
  },
});
const [runs, entriesEach, customers] = [Number(flags.runs), Number(flags.entries), Number(flags.customers)];
if (!(runs >= 1 && entriesEach >= 1 && customers >= 2)) {
  throw new Error("--runs, --entries and --customers take positive numbers");
}

interface SealRun {
  readonly load: number;
  readonly sealing: RateRun;
  /** Of the copy, for each entry with its posting. */
  readonly bytesPerEntry: number;
  readonly verifying: RateRun;
}

const progress = createProgress(process.stderr);
const ledger = await progress.step("the ledger", (note) => openLedgerUnderTest(customers, note));
const db = openDatabase({ url: ledger.server.appUrl, poolSize: 2 });
const folder = mkdtempSync(join(tmpdir(), "reckoner-bench-seals-"));
const file = join(folder, "seals.jsonl");
const store = fileSealStore(file);
const found: SealRun[] = [];
try {
  await sealLedger(db, store);
  for (let round = 1; round <= runs; round++) {
    const run = await progress.step(`round ${round}`, (note) => measure(ledger, note));
    found.push(run);
    const { sealing, verifying, bytesPerEntry, load } = run;
    const text = (rate: RateRun) =>
      `${rate.perSecond}/s, ${rate.serverMicros} + ${rate.clientMicros} µs of CPU an entry`;
    progress.line(`  sealed ${text(sealing)}, ${bytesPerEntry} bytes of copy`);
    progress.line(`  verified ${verifying.entries} entries: ${text(verifying)}; load ${load}`);
  }
} finally {
  await db.close();
  await ledger.stop();
  rmSync(folder, { recursive: true });
}
const figures = { machine: thisMachine(), settings: ledger.server.settings, flags, runs: found };
if (flags.out !== undefined) writeFigures(resolve(flags.out), figures);

async function measure(
  { server, acknowledged }: Pick<LedgerUnderTest, "server" | "acknowledged">,
  note: (detail: string) => void,
): Promise<SealRun> {
  const [entriesBefore, bytesBefore] = [acknowledged(), statSync(file).size];
  await fillUp(ledger, entriesBefore + entriesEach, note);
  const load = loadNow();
  const entries = acknowledged() - entriesBefore;
  note(`sealing ${entries} entries`);
  const sealingWatch = rateWatch(server.pid);
  await sealLedger(db, store);
  const sealing = sealingWatch.rate(entries);
  const { unsealed } = await verifySeals(db);
  if (Object.keys(unsealed).length > 0) throw new Error("not everything was sealed");
  note(`verifying ${acknowledged()} entries`);
  const verifyingWatch = rateWatch(server.pid);
  const verification = await verifyLedger(db, { store });
  const verifying = verifyingWatch.rate(acknowledged());
  if (allFindings(verification).length > 0) throw new Error("the ledger is not what was sealed");
  return {
    load,
    sealing,
    bytesPerEntry: Math.round((statSync(file).size - bytesBefore) / entries),
    verifying,
  };
}
