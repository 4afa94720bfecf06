import { configurationOrExit, loadMailboxConfig } from "../../config.ts";
import { startMailbox } from "./mailbox.ts";

const mailbox = await startMailbox(configurationOrExit(loadMailboxConfig));
console.log(`Mailbox on ${mailbox.url}, taking mail at ${mailbox.smtpUrl}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => mailbox.close());
