export * from "./canonical-json.ts";
export * from "./measure.ts";
export * from "./meter.ts";
export * from "./usage-event.ts";
