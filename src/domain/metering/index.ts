export * from "./canonical-json.ts";
export * from "./measure.ts";
export * from "./meter.ts";
export * from "./parse-usage-event.ts";
export * from "./usage-event.ts";
