import { randomUUID } from "node:crypto";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { type ReadMail, readMail } from "./mime.ts";
import { listPage, mailPage } from "./pages.ts";

export interface KeptMail extends ReadMail {
  readonly id: string;
  readonly receivedAt: string;
}

export interface MailboxOptions {
  readonly host: string;
  /** Of the page; 0 for any that is free, as for SMTP. */
  readonly port: number;
  readonly smtpPort: number;
}

export interface Mailbox {
  /** Of the page. */
  readonly url: string;
  readonly smtpUrl: string;
  /** The newest first. */
  readonly mails: readonly KeptMail[];
  close(): Promise<void>;
}

/** The oldest beyond these are dropped; none outlives the process. */
const mailsMax = 1_000;

/** For development: takes every mail to whomever, and shows it on a page. Nothing leaves it. */
export async function startMailbox({ host, port, smtpPort }: MailboxOptions): Promise<Mailbox> {
  const mails: KeptMail[] = [];
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    logger: false,
    onData(stream, _session, done) {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        const mail = readMail(Buffer.concat(parts));
        mails.unshift({ ...mail, id: randomUUID(), receivedAt: new Date().toISOString() });
        mails.splice(mailsMax);
        done();
      });
    },
  });
  const web = createServer((request, response) => answer(mails, request.url ?? "/", response));
  await listen(smtp.server as unknown as Server, smtpPort, host);
  await listen(web, port, host);
  return {
    url: `http://${host}:${portOf(web)}`,
    smtpUrl: `smtp://${host}:${portOf(smtp.server as unknown as Server)}`,
    mails,
    async close() {
      web.closeAllConnections();
      await Promise.all([
        new Promise<void>((resolve) => smtp.close(() => resolve())),
        new Promise((resolve) => web.close(resolve)),
      ]);
    },
  };
}

function answer(mails: readonly KeptMail[], url: string, response: ServerResponse): void {
  const [, id, part] = /^\/mails\/([\w-]+)(\/html)?$/.exec(url) ?? [];
  const mail = mails.find((each) => each.id === id);
  if (url === "/") {
    sendPage(response, listPage(mails));
  } else if (url === "/mails") {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(mails));
  } else if (mail === undefined) {
    response.writeHead(404, { "content-type": "text/plain" }).end("there is no such page\n");
  } else {
    sendPage(response, part === undefined ? mailPage(mail) : mail.html);
  }
}

/** A mail may hold anything: nothing in it runs, and nothing is fetched for it. */
function sendPage(response: ServerResponse, page: string): void {
  response
    .writeHead(200, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'",
    })
    .end(page);
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function listen(server: Server, port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, host, resolve);
  await promise;
}
