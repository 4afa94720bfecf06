import { Anchor, type AnchorProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { ComponentPropsWithRef } from "react";

type LinkProps = AnchorProps & Omit<ComponentPropsWithRef<"a">, keyof AnchorProps>;

/** A link within the console. */
export const TextLink = createLink((props: LinkProps) => <Anchor {...props} />);

/** The link of a table's row: the row can be clicked anywhere. */
export const RowLink = createLink((props: LinkProps) => (
  <Anchor data-row-link size="sm" fw={600} {...props} />
));
