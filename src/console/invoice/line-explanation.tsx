import { List, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Loaded } from "../parts/loaded.tsx";
import { invoiceExplanationQuery } from "../reads/queries.ts";
import classes from "./rating-detail.module.css";

/** How a line came about, step by step, in words. */
export function LineExplanation({ invoiceId, line }: { invoiceId: string; line: number }) {
  const query = useQuery(invoiceExplanationQuery(invoiceId));
  const steps = query.data?.lines.find((each) => each.line === line)?.steps ?? [];
  return (
    <details className={classes.detail}>
      <summary>How this line came about</summary>
      <Loaded query={query}>
        {() => (
          <List type="ordered" size="sm" py="xs" aria-label={`Steps of line ${line}`}>
            {steps.map(({ text }) => (
              <List.Item key={text}>
                <Text size="sm" c="dimmed" span>
                  {text}
                </Text>
              </List.Item>
            ))}
          </List>
        )}
      </Loaded>
    </details>
  );
}
