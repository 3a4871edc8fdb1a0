import { createHmac } from "node:crypto";

/** What is signed: the message's id, when it was sent, and its exact bytes. */
export interface Signed {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly body: string;
}

/** Headers as https://www.standardwebhooks.com has them: HMAC-SHA-256, one signature for each secret, so that secrets can be changed without a gap. */
export function signatureHeaders(
  message: Signed,
  secrets: readonly string[],
): Readonly<Record<string, string>> {
  const { id, timestamp, body } = message;
  const signatures = secrets.map((secret) => {
    const mac = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest("base64");
    return `v1,${mac}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures.join(" "),
  };
}

/** `whsec_` and base64, as the standard writes secrets; any other text stands for its own bytes. */
function keyOf(secret: string): Buffer {
  return secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret, "utf8");
}
