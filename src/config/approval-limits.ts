import { z } from "zod";
import type { ApprovalLimits } from "../domain/adjustments/index.ts";
import {
  type Currency,
  currencyExponent,
  decimal,
  isCurrency,
  type Money,
  money,
} from "../domain/money/index.ts";

const shape = "must be amounts by currency, separated by commas, such as usd=500.00,jpy=50000";

/** "usd=500.00,jpy=50000": each currency once, its amount with the currency's own decimals at most. */
export const approvalLimits = z.string().transform((text, context): ApprovalLimits => {
  const limits = new Map<Currency, Money>();
  for (const part of text.split(",")) {
    const [code = "", amount = "", ...rest] = part.split("=").map((side) => side.trim());
    const fault = rest.length > 0 ? shape : faultOf(code, amount, limits);
    if (fault !== null) {
      context.addIssue(fault);
      return z.NEVER;
    }
    limits.set(code as Currency, limitOf(code as Currency, amount));
  }
  return limits;
});

function faultOf(code: string, amount: string, before: ApprovalLimits): string | null {
  if (!/^[a-z]{3}$/.test(code) || !/^\d{1,15}(\.\d+)?$/.test(amount)) return shape;
  if (!isCurrency(code)) return `${shape}: there is no currency "${code}"`;
  if (before.has(code)) return `must name each currency once: ${code} is there twice`;
  const decimals = amount.split(".")[1]?.length ?? 0;
  const decimalsMax = currencyExponent(code);
  return decimals > decimalsMax ? `must have at most ${decimalsMax} decimals for ${code}` : null;
}

const limitOf = (code: Currency, amount: string): Money =>
  money(
    decimal(amount)
      .times(decimal(10n ** BigInt(currencyExponent(code))))
      .toBigInt(),
    code,
  );
