/** A decoded form: every leaf is text, every bracket a level. Types are the schema's business. */
export type FormTree = { [name: string]: FormValue };
export type FormValue = string | FormTree;

const depthMax = 12;

/**
 * Decodes `application/x-www-form-urlencoded` text with bracketed names, as Stripe's libraries write it:
 * `lines[0][amount]=5&expand[]=customer`. `[]` takes the next free index.
 * Throws a {@link FormError} for names that do not nest properly or contradict each other.
 */
export function decodeForm(text: string): FormTree {
  const root = emptyTree();
  for (const [name, value] of new URLSearchParams(text)) place(root, segments(name), value, name);
  return root;
}

export class FormError extends Error {
  readonly param: string;

  constructor(param: string, why: string) {
    super(`Invalid parameter name ${param}: ${why}`);
    this.param = param;
  }
}

/** No prototype: a parameter called `__proto__` or `constructor` is a name like any other. */
function emptyTree(): FormTree {
  return Object.create(null);
}

function segments(name: string): string[] {
  const open = name.indexOf("[");
  if (open === -1) return [name];
  const brackets = name.slice(open);
  if (open === 0 || !/^(\[[^[\]]*\])+$/.test(brackets)) throw new FormError(name, "brackets do not match");
  const inner = brackets.slice(1, -1).split("][");
  if (inner.length >= depthMax) throw new FormError(name, "too deep");
  return [name.slice(0, open), ...inner];
}

function place(root: FormTree, path: readonly string[], value: string, name: string): void {
  const leaf = path.at(-1) ?? name;
  let tree = root;
  for (const segment of path.slice(0, -1)) {
    const key = keyIn(tree, segment);
    const next = tree[key] ?? emptyTree();
    if (typeof next === "string") throw new FormError(name, "it is both a value and an object");
    tree[key] = next;
    tree = next;
  }
  const key = keyIn(tree, leaf);
  if (key in tree) throw new FormError(name, "it is given twice");
  tree[key] = value;
}

function keyIn(tree: FormTree, segment: string): string {
  return segment === "" ? String(Object.keys(tree).length) : segment;
}
