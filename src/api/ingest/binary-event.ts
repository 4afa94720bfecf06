import type { IncomingHttpHeaders } from "node:http";

/** Whether a request is a CloudEvent in binary mode: its attributes are headers, its body is the data. */
export const isBinaryEvent = (headers: IncomingHttpHeaders): boolean =>
  headers["ce-specversion"] !== undefined && !headers["content-type"]?.startsWith("application/cloudevents");

/** A CloudEvent in binary mode as the JSON format has it. */
export function binaryEvent(headers: IncomingHttpHeaders, data: unknown): Record<string, unknown> {
  const attributes = Object.entries(headers)
    .filter(([name]) => name.startsWith("ce-"))
    .map(([name, value]) => [name.slice("ce-".length), decoded(String(value))]);
  return { ...Object.fromEntries(attributes), ...(data === undefined ? {} : { data }) };
}

/** Headers hold what is not ASCII as percent-encoded UTF-8. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
