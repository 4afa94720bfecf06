import { Skeleton, Text } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./figure-card.module.css";

interface FigureProps {
  readonly label: string;
  /** Left out while it is being read. */
  readonly value?: ReactNode;
  readonly note?: string;
}

/** One figure with its name and a word about it. */
export function Figure({ label, value, note }: FigureProps) {
  return (
    <dl className={`surface ${classes.figure}`}>
      <Text component="dt" size="xs" c="dimmed" fw={600}>
        {label}
      </Text>
      <dd>
        <Text component="div" size="xl" fw={650} className="figure">
          {value ?? <Skeleton h={22} my={6} w="60%" />}
        </Text>
        <Text component="div" size="xs" c="dimmed">
          {value === undefined ? <Skeleton h={10} my={4} w="40%" /> : note}
        </Text>
      </dd>
    </dl>
  );
}
