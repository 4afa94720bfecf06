import { loadNow, median } from "../figures.ts";
import { graduatedInIntegers, quantitiesOf, type Work, works } from "./workload.ts";

export interface LinesRun {
  readonly load: number;
  /** Per second of CPU, so that others on the machine do not count. */
  readonly linesPerSecond: number;
}

export interface RatedWork {
  readonly name: string;
  readonly medianLinesPerSecond: number;
  readonly runs: readonly LinesRun[];
}

/** How many lines a second one core prices, in the pure domain. @yields each kind of work once it is measured */
export function* measureLines({ runs, lines }: { runs: number; lines: number }): Generator<RatedWork> {
  // A thousand different ones: what is rated is never what was rated just now.
  const quantities = quantitiesOf(1000);
  const graduated = works.find(({ name }) => name === "rated, graduated");
  if (graduated?.run(quantities) !== graduatedInIntegers(quantities)) {
    throw new Error("graduated rating does not come to what whole numbers say");
  }
  const rounds = Math.ceil(lines / quantities.length);
  for (const work of works) {
    const round = () => roundOf(work, quantities, rounds);
    // The first run is not counted: then the compiler has seen what there is to see.
    round();
    const counted = Array.from({ length: runs }, round);
    const medianLines = median(counted.map(({ linesPerSecond }) => linesPerSecond));
    yield { name: work.name, medianLinesPerSecond: Math.round(medianLines), runs: counted };
  }
}

function roundOf({ run }: Work, quantities: readonly string[], rounds: number): LinesRun {
  const load = loadNow();
  const before = process.cpuUsage();
  let total = 0n;
  for (let count = 0; count < rounds; count += 1) total += run(quantities);
  const { user, system } = process.cpuUsage(before);
  if (total === 0n) throw new Error("nothing was rated");
  return { load, linesPerSecond: Math.round((rounds * quantities.length * 1e6) / (user + system)) };
}
