import { BillingError } from "../errors.ts";

export type EndpointState = "enabled" | "disabled" | "deleted";
/** Why an endpoint is not enabled. */
export type EndpointReason = "requested" | "failing" | "gone";

/** An address that notices are not sent to. */
export class EndpointUrlRefusedError extends BillingError {
  readonly code = "webhook_endpoint_url_refused";

  constructor(message: string) {
    super(message, "url");
  }
}

/**
 * Checks what can be said of an address by itself; where its name leads to is looked at before each connection.
 * @param privateAllowed a deployment for development: plain HTTP is good enough
 * @throws EndpointUrlRefusedError
 */
export function requireEndpointUrl(text: string, { privateAllowed }: { privateAllowed: boolean }): void {
  if (!URL.canParse(text))
    throw new EndpointUrlRefusedError("must be a URL such as https://example.com/hooks");
  const { protocol, username, password, hash } = new URL(text);
  const protocols = privateAllowed ? ["https:", "http:"] : ["https:"];
  if (!protocols.includes(protocol)) throw new EndpointUrlRefusedError("must begin with https://");
  if (username !== "" || password !== "") {
    throw new EndpointUrlRefusedError("must not hold a name or a password: the signature says who sends");
  }
  if (hash !== "") throw new EndpointUrlRefusedError("must not have a part behind #: it is never sent");
}
