/** How a command ends: programs branch on it. */
export const exitCodes = {
  done: 0,
  /** The API, or the person asked, said no; nothing was changed. */
  refused: 1,
  /** The call is wrong: an option, the configuration, or a file that cannot be read as what it should be. */
  misused: 2,
  /** The API could not be reached, or failed: the same call may work later. */
  unreachable: 3,
  /** Of `catalog plan --exit-code` only: something would change. */
  differs: 4,
} as const;

/** Ends a command with a message for people and an exit code. */
export class CommandFailed extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.misused) {
    super(message);
    this.exitCode = exitCode;
  }
}
