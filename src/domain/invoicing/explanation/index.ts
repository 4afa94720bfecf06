export * from "./explain-line.ts";
export * from "./explain-sum.ts";
export * from "./explanation-step.ts";
