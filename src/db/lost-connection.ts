import type postgres from "postgres";
import { sqlState } from "./sql-state.ts";

type Client = postgres.Sql<{ bigint: bigint }>;
type Begin = (work: (sql: postgres.TransactionSql) => unknown) => Promise<unknown>;

/**
 * A client whose transactions end with their connection. The driver rejects a transaction when its connection is lost,
 * but what runs in it goes on: its next statement, or the driver's own rollback, is then written to no socket, which
 * ends the process, or to the connection made in its place, where it takes effect outside of any transaction.
 * Here nothing more is sent once the connection is lost, or what the transaction is for has ended.
 */
export function endingWithConnection(client: Client): Client {
  const begin: Begin = (work) => {
    let isLost = false;
    let isOver = false;
    const refusal = () =>
      isLost ? "the transaction's connection was lost" : isOver && "the transaction is over";
    const outcome = client.begin(async (sql) => {
      // Never answered, so that neither commit nor rollback is sent: the driver has rejected the transaction, or is about to.
      const silence = new Promise<never>(() => {});
      try {
        const result = await work(sendingUnless(refusal, sql));
        return isLost ? await silence : result;
      } catch (error) {
        if (isLost || isConnectionLost(error)) await silence;
        throw error;
      } finally {
        isOver = true;
      }
    });
    outcome.catch(() => {
      isLost = true;
    });
    return outcome;
  };
  return new Proxy(client, {
    get: (target, name) => (name === "begin" ? begin : Reflect.get(target, name)),
  });
}

/** What is sent too late would be part of whatever else the connection is used for then. */
function sendingUnless(refusal: () => string | false, sql: postgres.TransactionSql): postgres.TransactionSql {
  const requireOpen = () => {
    const why = refusal();
    if (why) throw new Error(why);
  };
  return new Proxy(sql, {
    get(target, name) {
      requireOpen();
      return Reflect.get(target, name);
    },
    // As a template's tag.
    apply(target, self, query) {
      requireOpen();
      return Reflect.apply(target, self, query);
    },
  });
}

const networkErrors = /^(CONNECT|ECONN|EPIPE|ETIMEDOUT)/;

/** Class 57P: the server shuts down or has ended the session; class 08: connection exceptions. */
export function isConnectionLost(error: unknown): boolean {
  if (/^(57P|08)/.test(sqlState(error) ?? "")) return true;
  for (let current = error; current instanceof Error; current = current.cause) {
    const { code } = current as { code?: unknown };
    if (typeof code === "string" && networkErrors.test(code)) return true;
  }
  return false;
}

/** Its connection is lost, or it is out of connections, memory or disk (class 53): not the fault of what was asked of it. */
export const isDatabaseAway = (error: unknown): boolean =>
  isConnectionLost(error) || /^53/.test(sqlState(error) ?? "");
