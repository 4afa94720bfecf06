export * from "./judge.ts";
export * from "./kinds.ts";
export * from "./robust.ts";
