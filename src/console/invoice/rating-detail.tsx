import { Table, Text } from "@mantine/core";
import { isZeroAmount } from "../format/amount.ts";
import { formatQuantity } from "../format/quantity.ts";
import { Amount, Quantity } from "../parts/figures.tsx";
import type { InvoiceLine } from "../reads/resources.ts";
import classes from "./rating-detail.module.css";
import type { RatedTier, Rating } from "./rating-of.ts";

interface RatingDetailProps {
  readonly rating: Rating;
  readonly line: InvoiceLine;
  readonly currency: string;
}

/** How a usage line's amount came about, on request: what was free, then each tier's quantity × price. */
export function RatingDetail({ rating, line, currency }: RatingDetailProps) {
  return (
    <details className={classes.detail}>
      <summary>How this was priced</summary>
      <Text size="sm" c="dimmed" py="xs">
        {quantitySentence(rating)}
      </Text>
      {rating.tiers.length === 0 ? null : <Tiers tiers={rating.tiers} currency={currency} />}
      <Text size="sm" c="dimmed" pt="xs">
        {line.kind === "late_usage" ? "This line is what had not been billed before: exactly " : "Exactly "}
        <Amount minor={line.exact_minor} currency={currency} />, rounded once to{" "}
        <Amount minor={line.amount_minor} currency={currency} />.
      </Text>
    </details>
  );
}

function quantitySentence({ cumulativeQuantity, includedQuantity, unit }: Rating): string {
  const all = `${formatQuantity(cumulativeQuantity)} ${unit} in the period`.replace("  ", " ");
  return isZeroAmount(includedQuantity)
    ? `${all}, none of it free.`
    : `${all}, ${formatQuantity(includedQuantity)} of it free.`;
}

function Tiers({ tiers, currency }: { tiers: readonly RatedTier[]; currency: string }) {
  const hasFees = tiers.some(({ flatMinor }) => !isZeroAmount(flatMinor));
  return (
    <Table.ScrollContainer minWidth={260}>
      <Table verticalSpacing={6} horizontalSpacing="xs" aria-label="Tiers" withRowBorders={false}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th ta="end">Quantity</Table.Th>
            <Table.Th ta="end">Price of one</Table.Th>
            {hasFees ? <Table.Th ta="end">Fee</Table.Th> : null}
            <Table.Th ta="end">Exact amount</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tiers.map((tier) => (
            <Table.Tr key={tier.from}>
              <Table.Td ta="end">
                <Quantity value={tier.quantity} />
              </Table.Td>
              <Table.Td ta="end">
                <Amount minor={tier.unitPriceMinor} currency={currency} />
              </Table.Td>
              {hasFees ? (
                <Table.Td ta="end">
                  <Amount minor={tier.flatMinor} currency={currency} />
                </Table.Td>
              ) : null}
              <Table.Td ta="end">
                <Amount minor={tier.exactMinor} currency={currency} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
