export interface StreamEvent {
  readonly id: string | undefined;
  /** "beat" for a comment. */
  readonly type: string;
  readonly text: string;
}

/** The events of a `text/event-stream`, as they come. A stream that ends within one leaves it out. */
export async function* streamEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let pending = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      pending += decoder.decode(value, { stream: true });
      const blocks = pending.split("\n\n");
      pending = blocks.pop() ?? "";
      for (const block of blocks) yield eventOf(block);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function eventOf(block: string): StreamEvent {
  const fields = new Map<string, string>();
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trimStart());
  }
  const text = fields.get("data");
  return {
    id: fields.get("id"),
    type: text === undefined ? "beat" : (fields.get("event") ?? "message"),
    text: text ?? "",
  };
}
