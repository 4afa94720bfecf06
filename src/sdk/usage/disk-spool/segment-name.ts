import { millisecondsOfUuidV7 } from "../uuid-v7.ts";

/**
 * The name of a segment's file says in what state it is, and whose it is. A segment changes hands by being renamed: that
 * happens once, whoever tries, so the name is the lock.
 *
 * - `{id}.writing.{owner}`: the owner appends to it;
 * - `{id}.ready`: complete; whoever renames it first sends it;
 * - `{id}.sending.{owner}`: the owner sends it, and removes it once every event in it is answered.
 */
export type SegmentName =
  | { readonly id: string; readonly state: "ready" }
  | { readonly id: string; readonly state: "writing" | "sending"; readonly owner: string };

export function fileNameOf(name: SegmentName): string {
  return name.state === "ready" ? `${name.id}.ready` : `${name.id}.${name.state}.${name.owner}`;
}

const form = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?:ready|(writing|sending)\.([\w-]+))$/;

/** Undefined for a file that is no segment: it is left alone. */
export function parseSegmentName(fileName: string): SegmentName | undefined {
  const parts = form.exec(fileName);
  if (parts === null) return undefined;
  const [, id = "", state, owner = ""] = parts;
  return state === "writing" || state === "sending" ? { id, state, owner } : { id, state: "ready" };
}

/** When it was begun, by its writer's clock, in milliseconds since 1970: ids ascend with it. */
export const segmentBeganMs = (id: string): number => millisecondsOfUuidV7(id);
