import { Button } from "@mantine/core";
import { useState } from "react";
import { callHeaders } from "../session/session.ts";

/** Saves an invoice, or a credit note, as the PDF that the customer gets. */
export function DocumentDownload({ path, name }: { path: string; name: string }) {
  const [state, setState] = useState<"idle" | "loading" | "failed">("idle");
  const download = async () => {
    setState("loading");
    try {
      await saveDocument(path, name);
      setState("idle");
    } catch {
      setState("failed");
    }
  };
  return (
    <Button
      variant="default"
      size="compact-sm"
      loading={state === "loading"}
      onClick={() => void download()}
      aria-label={`Download ${name} as PDF`}
    >
      {state === "failed" ? "PDF: try again" : "PDF"}
    </Button>
  );
}

/** A link alone would not send the key. */
async function saveDocument(path: string, name: string): Promise<void> {
  const answer = await fetch(path, { headers: callHeaders() });
  if (!answer.ok) throw new Error(`the document was answered with ${answer.status}`);
  const address = URL.createObjectURL(await answer.blob());
  const link = Object.assign(document.createElement("a"), { href: address, download: `${name}.pdf` });
  link.click();
  URL.revokeObjectURL(address);
}
