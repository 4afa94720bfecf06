#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { addCalculateCommand } from "./reckoner/calculate-command.ts";
import { addCatalogCommands } from "./reckoner/catalog-commands.ts";
import { CommandFailed, exitCodes } from "./reckoner/exit-code.ts";
import { addOperationCommands } from "./reckoner/operation-commands.ts";
import { addStripeEventCommands } from "./reckoner/stripe-event-commands.ts";

/** `npx reckoner …`: what people and programs ask of a system through its API. */
const program = new Command("reckoner")
  .description("Usage billing that can be proved right, from the command line.")
  .configureHelp({ showGlobalOptions: true })
  .showHelpAfterError("Say --help for how to call it.")
  .exitOverride()
  .addHelpText(
    "after",
    `
It asks the API at RECKONER_API_URL with the key RECKONER_API_KEY; without them, the system that npm start runs here.

Exit codes: ${exitCodes.done} done, ${exitCodes.refused} refused, ${exitCodes.misused} called in a wrong way, ${exitCodes.unreachable} the API cannot be reached.`,
  );
addCatalogCommands(program);
addCalculateCommand(program);
addOperationCommands(program);
addStripeEventCommands(program);

// Whoever reads it, such as head, may have seen enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommandFailed) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  } else if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.misused;
  } else throw error;
}
