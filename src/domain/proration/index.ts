export * from "./prorate.ts";
