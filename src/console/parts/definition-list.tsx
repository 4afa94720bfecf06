import type { ReactNode } from "react";
import classes from "./definition-list.module.css";

export interface Definition {
  readonly key: string;
  readonly name: ReactNode;
  readonly value: ReactNode;
}

/** Names with what they stand for, in as many columns as there is room for. */
export function DefinitionList({ items }: { items: readonly Definition[] }) {
  return (
    <dl className={classes.list}>
      {items.map(({ key, name, value }) => (
        <div key={key}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
