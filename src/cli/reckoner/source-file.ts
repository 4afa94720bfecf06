import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from "yaml";
import { CommandFailed } from "./exit-code.ts";

/** What a file says, and where it says it. */
export interface SourceFile {
  readonly name: string;
  readonly value: unknown;
  /** The place of `plans[0].prices[1].meter`, or of what would hold it; undefined in files that have no places. */
  placeOf(path: string): Place | undefined;
}

export interface Place {
  readonly line: number;
  readonly column: number;
  /** The line as it stands in the file. */
  readonly text: string;
}

const modules = new Set([".ts", ".mts", ".js", ".mjs"]);

/**
 * Reads a catalog or a question: YAML or JSON, `-` for the standard input, or a TypeScript or JavaScript module with a
 * default export, which is run.
 * @throws CommandFailed naming file, line and column
 */
export async function readSource(path: string): Promise<SourceFile> {
  if (modules.has(extname(path))) return await readModule(path);
  const name = path === "-" ? "standard input" : path;
  return parseSource(name, await contentOf(path));
}

/** YAML, of which JSON is a part. @throws CommandFailed naming file, line and column */
export function parseSource(name: string, content: string): SourceFile {
  const lines = content.split(/\r?\n/);
  const counter = new LineCounter();
  const document = parseDocument(content, { lineCounter: counter, merge: true, prettyErrors: false });
  const placeAt = (offset: number): Place => {
    const { line, col } = counter.linePos(offset);
    return { line, column: col, text: lines[line - 1] ?? "" };
  };
  const [fault] = document.errors;
  if (fault !== undefined) throw new CommandFailed(faultText(name, fault.message, placeAt(fault.pos[0])));
  return {
    name,
    value: readValue(name, document),
    placeOf: (path) => {
      const offset = offsetOf(document, stepsOf(path));
      return offset === undefined ? undefined : placeAt(offset);
    },
  };
}

/** `file:line:column: message`, as editors and terminals link it, with the line and a mark below its column. */
export function faultText(name: string, message: string, place: Place | undefined): string {
  if (place === undefined) return `${name}: ${message}`;
  const { line, column, text: shown } = place;
  const margin = `${line} | `;
  return [
    `${name}:${line}:${column}: ${message}`,
    `  ${margin}${shown}`,
    `  ${" ".repeat(margin.length + column - 1)}^`,
  ].join("\n");
}

async function contentOf(path: string): Promise<string> {
  if (path === "-") return await text(process.stdin);
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new CommandFailed(`${path} cannot be read: ${reasonOf(error)}`);
  }
}

async function readModule(path: string): Promise<SourceFile> {
  let loaded: { default?: unknown };
  try {
    loaded = await import(pathToFileURL(resolve(path)).href);
  } catch (error) {
    throw new CommandFailed(`${path} cannot be run: ${reasonOf(error)}`);
  }
  if (loaded.default === undefined) {
    throw new CommandFailed(`${path} has no default export: write export default defineCatalog({ … })`);
  }
  return { name: path, value: await loaded.default, placeOf: () => undefined };
}

function readValue(name: string, document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 1_000 });
  } catch (error) {
    throw new CommandFailed(`${name} cannot be read: ${reasonOf(error)}`);
  }
}

/** `plans[0].prices[1].meter` is `["plans", 0, "prices", 1, "meter"]`. */
function stepsOf(path: string): (string | number)[] {
  return [...path.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name = ""]) =>
    index === undefined ? name : Number(index),
  );
}

/** Where the value of the path begins, or its name where that is what is wrong; else where its nearest holder does. */
function offsetOf(document: Document, steps: readonly (string | number)[]): number | undefined {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0];
  for (const step of steps) {
    const holder: Node | null | undefined = isAlias(node) ? node.resolve(document) : node;
    const found: { node: Node | null; offset: number | undefined } | undefined = partOf(holder, step);
    if (found === undefined) return offset;
    node = found.node;
    offset = found.offset ?? offset;
  }
  return offset;
}

function partOf(holder: Node | null | undefined, step: string | number) {
  if (isSeq(holder)) {
    const item = holder.items[Number(step)];
    return isNode(item) ? { node: item, offset: item.range?.[0] } : undefined;
  }
  if (!isMap(holder)) return undefined;
  const pair = holder.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  if (pair === undefined) return undefined;
  const name = isNode(pair.key) ? pair.key.range?.[0] : undefined;
  if (!isNode(pair.value)) return { node: null, offset: name };
  // Lists and objects begin below their name, which says more.
  return { node: pair.value, offset: isScalar(pair.value) ? pair.value.range?.[0] : name };
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
