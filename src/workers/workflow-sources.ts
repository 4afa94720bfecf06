import { fileURLToPath } from "node:url";

const sourceOf = (file: string) => fileURLToPath(new URL(`../workflows/${file}`, import.meta.url));
const [workflows, interceptors] = [sourceOf("index.ts"), sourceOf("interceptors.ts")];

/** What a bundle of the workflows is made of: their code and what is laid around it. */
export const workflowSources = {
  workflowsPath: workflows,
  workflowInterceptorModules: [interceptors],
  /**
   * Loaded once, not again for every run, which takes milliseconds: no module of theirs keeps anything that changes
   * (`test/tidy.test.ts`), so runs may share all of them.
   */
  preloadModules: [interceptors, workflows],
};
