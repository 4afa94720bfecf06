import type { Consumer } from "@platformatic/kafka";

/** The partitions that the group has given us, until it gives them out anew. */
export interface Assignment {
  readonly partitions: readonly number[];
  readonly over: AbortSignal;
}

export interface Membership {
  /** What is assigned now. @throws what has ended the membership */
  assignment(): Assignment;
}

/** Follows what a group gives to one of its members. */
export function watchMembership(consumer: Consumer, topic: string): Membership {
  let current: readonly number[] = [];
  let change = new AbortController();
  let failure: Error | undefined;
  const assign = (partitions: readonly number[]) => {
    const before = change;
    change = new AbortController();
    current = partitions;
    before.abort();
  };
  const fail = (error: Error) => {
    failure ??= error;
    change.abort();
  };
  consumer.on("consumer:group:join", ({ assignments }) => {
    assign(assignments?.find((assignment) => assignment.topic === topic)?.partitions ?? []);
  });
  consumer.on("consumer:heartbeat:stalled", ({ lastError }) =>
    fail(new Error("the group has not answered for too long", { cause: lastError })),
  );
  consumer.on("error", fail);
  return {
    assignment() {
      if (failure !== undefined) throw failure;
      return { partitions: current, over: change.signal };
    },
  };
}
