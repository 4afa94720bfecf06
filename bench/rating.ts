import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { createProgress } from "../src/sandbox/local-services/progress.ts";
import { loadNow, median, thisMachine, writeFigures } from "./figures.ts";
import { graduatedInIntegers, quantitiesOf, type Work, works } from "./rating/workload.ts";

/** `npm run bench:rating`: how many lines a second one core prices, in the pure domain with exact decimals. */
const { values: flags } = parseArgs({
  options: {
    runs: { type: "string", default: "7" },
    lines: { type: "string", default: "200000" },
    out: { type: "string" },
  },
});
const [runs, linesEach] = [Number(flags.runs), Number(flags.lines)];
if (!(runs >= 1 && linesEach >= 1000)) throw new Error("--runs takes 1 or more, --lines 1000 or more");

interface RatingRun {
  readonly load: number;
  /** Per second of CPU, so that others on the machine do not count. */
  readonly linesPerSecond: number;
}

interface RatedWork {
  readonly name: string;
  readonly medianLinesPerSecond: number;
  readonly runs: readonly RatingRun[];
}

const progress = createProgress(process.stderr);
// A thousand different ones: what is rated is never what was rated just now.
const quantities = quantitiesOf(1000);
const rounds = Math.ceil(linesEach / quantities.length);
const graduated = works.find(({ name }) => name === "rated, graduated");
if (graduated?.run(quantities) !== graduatedInIntegers(quantities)) {
  throw new Error("graduated rating does not come to what whole numbers say");
}

const found: RatedWork[] = [];
for (const work of works) {
  const measured = await progress.step(work.name, async () => measure(work));
  progress.line(`  ${measured.medianLinesPerSecond} lines/s per core, median of ${runs}`);
  found.push(measured);
}
if (flags.out !== undefined) {
  writeFigures(resolve(flags.out), { machine: thisMachine(), node: process.version, flags, works: found });
}

function measure(work: Work): RatedWork {
  // The first run is not counted: then the compiler has seen what there is to see.
  round(work);
  const counted = Array.from({ length: runs }, () => round(work));
  return {
    name: work.name,
    medianLinesPerSecond: Math.round(median(counted.map(({ linesPerSecond }) => linesPerSecond))),
    runs: counted,
  };
}

function round({ run }: Work): RatingRun {
  const load = loadNow();
  const before = process.cpuUsage();
  let total = 0n;
  for (let count = 0; count < rounds; count += 1) total += run(quantities);
  const { user, system } = process.cpuUsage(before);
  if (total === 0n) throw new Error("nothing was rated");
  return { load, linesPerSecond: Math.round((rounds * quantities.length * 1e6) / (user + system)) };
}
