/** Says what a step is doing now, for example how much is downloaded. */
export type Note = (detail: string) => void;

export interface Progress {
  /** Runs `work` and shows it: a spinner on a terminal, else a line once it takes longer than two seconds. */
  step<T>(label: string, work: (note: Note) => Promise<T>): Promise<T>;
  /** A line of its own. */
  line(text: string): void;
}

/** A terminal, or anything that takes text. */
type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

interface RunningStep {
  readonly label: string;
  readonly startedAt: number;
  detail: string;
}

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMs = 100;
const slowAfterMs = 2_000;

/** Steps may run side by side; they share the last line of the terminal. */
export function createProgress(output: Output = process.stdout): Progress {
  const running = new Set<RunningStep>();
  const screen = output.isTTY ? spinner(output, running) : plainLines(output);
  return {
    line: (text) => screen.print(text),
    async step(label, work) {
      const step: RunningStep = { label, startedAt: performance.now(), detail: "" };
      running.add(step);
      const finished = screen.begin(step);
      try {
        const result = await work((detail) => {
          step.detail = detail;
          screen.note(step);
        });
        screen.print(`  ✓ ${withDetail(step)}  ${seconds(step)}`);
        return result;
      } catch (error) {
        screen.print(`  ✗ ${withDetail(step)}  ${seconds(step)}`);
        throw error;
      } finally {
        running.delete(step);
        finished();
      }
    },
  };
}

interface Screen {
  print(text: string): void;
  note(step: RunningStep): void;
  begin(step: RunningStep): () => void;
}

function spinner(output: Output, running: ReadonlySet<RunningStep>): Screen {
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  const clear = "\r\x1b[2K";
  const draw = () => {
    const text = [...running].map((step) => `${withDetail(step)} ${seconds(step)}`).join("  ·  ");
    output.write(`${clear}  ${frames[frame++ % frames.length]} ${text.slice(0, (output.columns ?? 80) - 5)}`);
  };
  return {
    print: (text) => output.write(`${clear}${text}\n`),
    note: draw,
    begin() {
      timer ??= setInterval(draw, frameMs);
      return () => {
        if (running.size > 0) return;
        clearInterval(timer);
        timer = undefined;
        output.write(clear);
      };
    },
  };
}

/** For files and continuous integration: what is slow is announced once, and each note of a slow step is a line. */
function plainLines(output: Output): Screen {
  const print = (text: string) => output.write(`${text}\n`);
  const isSlow = (step: RunningStep) => performance.now() - step.startedAt >= slowAfterMs;
  return {
    print,
    note: (step) => isSlow(step) && print(`  … ${withDetail(step)}`),
    begin(step) {
      const timer = setTimeout(() => print(`  … ${withDetail(step)}`), slowAfterMs);
      return () => clearTimeout(timer);
    },
  };
}

const withDetail = ({ label, detail }: RunningStep) => (detail === "" ? label : `${label}: ${detail}`);

const seconds = ({ startedAt }: RunningStep) => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
