import { writeFileSync } from "node:fs";
import { ledgerDocument } from "../domain/ledger/document/ledger-document.ts";

writeFileSync(new URL("../../docs/ledger.md", import.meta.url), ledgerDocument());
