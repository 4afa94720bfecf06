import { promiseHooks } from "node:v8";

/** Where promises cannot be observed, the SDK goes on without call stacks, and says so in one line of the log. */
promiseHooks.createHook = () => {
  throw new Error("promises of workflows are not observed");
};
