import { createTransport } from "nodemailer";
import type { Mail } from "../domain/notices/index.ts";

/** A mail on its way to one person. */
export interface MailToSend extends Mail {
  readonly to: string;
  /** Stays the same whenever it is sent again, so that a mail program can tell. */
  readonly key: string;
}

export interface MailAnswer {
  /** Of SMTP. */
  readonly status: number;
  readonly answer: string;
}

/** Whatever takes mail: SMTP here; a service's own interface can be put in its place. */
export interface MailSender {
  /** @throws when it was not taken; `responseCode` says why where the receiver said so */
  send(mail: MailToSend): Promise<MailAnswer>;
  close(): void;
}

export interface SmtpOptions {
  /** `smtp://USER:PASSWORD@HOST:PORT`, or `smtps://…` for TLS from the start. */
  readonly url: string;
  /** Who writes, as `Name <address>`. */
  readonly from: string;
  readonly timeoutMs?: number;
}

/** Sends mail by SMTP, over a few connections that are kept. */
export function smtpSender({ url, from, timeoutMs = 20_000 }: SmtpOptions): MailSender {
  const transport = createTransport(
    {
      url,
      pool: true,
      maxConnections: 4,
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  );
  const domain = /@([^\s>]+)/.exec(from)?.[1] ?? "localhost";
  return {
    async send({ to, key, subject, text, html }) {
      const sent = await transport.sendMail({
        // Never parsed as a list: an address holds what it holds.
        to: { name: "", address: to },
        messageId: `<${key}@${domain}>`,
        subject,
        text,
        html,
        headers: { "Auto-Submitted": "auto-generated" },
      });
      return { status: Number(sent.response.slice(0, 3)) || 250, answer: sent.response };
    },
    close: () => transport.close(),
  };
}
