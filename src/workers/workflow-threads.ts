import threads from "node:worker_threads";

const setup = new URL("./workflow-thread-setup.ts", import.meta.url).href;

/**
 * Has the threads in which Temporal's SDK runs workflows begin with `workflow-thread-setup.ts`: what they note of every promise
 * for the call stacks of Temporal's UI costs as much as all that a task does. The SDK has no option for that. What a run
 * waits for is in its details (decision 39).
 */
export function lightenWorkflowThreads(): void {
  const { Worker } = threads;
  threads.Worker = class extends Worker {
    constructor(file: string | URL, options: threads.WorkerOptions = {}) {
      const isOfWorkflows = String(file).endsWith("workflow-worker-thread.js");
      // Of the process's own flags those that are V8's hold everywhere, and are refused here.
      const execArgv = [...(options.execArgv ?? []), "--import", setup];
      super(file, isOfWorkflows ? { ...options, execArgv } : options);
    }
  };
}
