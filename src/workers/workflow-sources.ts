import { fileURLToPath } from "node:url";

const sourceOf = (file: string) => fileURLToPath(new URL(`../workflows/${file}`, import.meta.url));
const domainOf = (folder: string) => fileURLToPath(new URL(`../domain/${folder}/index.ts`, import.meta.url));

/** What a bundle of the workflows is made of: their code and what is laid around it. */
export const workflowSources = {
  workflowsPath: sourceOf("index.ts"),
  workflowInterceptorModules: [sourceOf("interceptors.ts")],
  /** Loaded once, not again for every run, which takes milliseconds: they are pure, so runs may share them. */
  preloadModules: [domainOf("calendar"), domainOf("lifecycle")],
};
