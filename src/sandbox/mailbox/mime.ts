/** A mail as people see it. */
export interface ReadMail {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly messageId: string;
  /** Empty when the mail has no such part. */
  readonly text: string;
  readonly html: string;
}

interface Part {
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Reads a mail with a text and an HTML part, or one of them, in the usual encodings: what programs write, not all of MIME. */
export function readMail(raw: Buffer): ReadMail {
  const mail = partOf(raw.toString("latin1"));
  const leaves = leavesOf(mail);
  const header = (name: string) => decodedWords(mail.headers.get(name) ?? "");
  const content = (type: string) => {
    const leaf = leaves.find(({ headers }) => (headers.get("content-type") ?? "text/plain").startsWith(type));
    return leaf === undefined ? "" : decodedBody(leaf);
  };
  return {
    from: header("from"),
    to: header("to"),
    subject: header("subject"),
    messageId: header("message-id"),
    text: content("text/plain"),
    html: content("text/html"),
  };
}

function partOf(raw: string): Part {
  const split = /\r?\n\r?\n/.exec(raw);
  const head = split === null ? raw : raw.slice(0, split.index);
  const body = split === null ? "" : raw.slice(split.index + split[0].length);
  const lines = head.replaceAll(/\r?\n[ \t]+/g, " ").split(/\r?\n/);
  const headers = new Map(
    lines.map((line): [string, string] => {
      const [name = "", ...value] = line.split(":");
      return [name.trim().toLowerCase(), value.join(":").trim()];
    }),
  );
  return { headers, body };
}

function leavesOf(part: Part): Part[] {
  const boundary = /^multipart\/.*boundary="?([^";]+)"?/i.exec(part.headers.get("content-type") ?? "")?.[1];
  if (boundary === undefined) return [part];
  return part.body
    .split(`--${boundary}`)
    .slice(1, -1)
    .flatMap((raw) => leavesOf(partOf(raw.replace(/^\r?\n/, "").replace(/\r?\n$/, ""))));
}

function decodedBody({ headers, body }: Part): string {
  const encoding = headers.get("content-transfer-encoding")?.toLowerCase();
  if (encoding === "base64") return Buffer.from(body, "base64").toString("utf8");
  if (encoding === "quoted-printable") return decodedQuoted(body.replaceAll(/=\r?\n/g, ""));
  return Buffer.from(body, "latin1").toString("utf8");
}

function decodedQuoted(text: string): string {
  const bytes = text.replaceAll(/=([0-9A-F]{2})/gi, (_all, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** `=?UTF-8?Q?…?=` and `=?UTF-8?B?…?=`, as headers have what is not ASCII. */
function decodedWords(header: string): string {
  return header
    .replaceAll(/\?=\s+=\?/g, "?==?")
    .replaceAll(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_all, kind: string, word: string) =>
      kind.toLowerCase() === "b"
        ? Buffer.from(word, "base64").toString("utf8")
        : decodedQuoted(word.replaceAll("_", " ")),
    );
}
