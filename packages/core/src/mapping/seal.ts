import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";

const prefix = "sealed:1:";
const ivBytes = 12;
const tagBytes = 16;

/** Hides texts that must lie in a target which is not to see them: the rows of letters (docs/strategies/mapping.md). */
export interface Sealer {
  /** Equal texts have equal seals, so that a sealed key finds its letter. */
  seal(text: string): string;
  /** The text again; what isn't one of this secret's seals comes back as it is. */
  open(text: string): string;
}

/** Base64 of a nonce, a tag and whatever was sealed. */
const body = /^[A-Za-z0-9+/]{38,}={0,2}$/;

/** True for a text that a {@link Sealer} made, whatever its secret. */
export function isSealed(text: string): boolean {
  return text.startsWith(prefix) && body.test(text.slice(prefix.length));
}

/** Seals with AES-256-GCM; the nonce is a keyed hash of the text, which only ever repeats with the text itself. */
export function sealerOf(secret: string): Sealer {
  const keyFor = (use: string): Buffer => createHmac("sha256", secret).update(`lockstep ${use}`).digest();
  const [key, nonceKey] = [keyFor("letters"), keyFor("letter nonces")];
  return {
    seal(text) {
      const iv = createHmac("sha256", nonceKey).update(text).digest().subarray(0, ivBytes);
      const cipher = createCipheriv("aes-256-gcm", key, iv);
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return prefix + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64");
    },
    open(text) {
      if (!isSealed(text)) return text;
      const bytes = Buffer.from(text.slice(prefix.length), "base64");
      if (bytes.length < ivBytes + tagBytes) return text;
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, ivBytes));
        decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
        return (
          decipher.update(bytes.subarray(ivBytes + tagBytes), undefined, "utf8") + decipher.final("utf8")
        );
      } catch {
        // Another secret, or a user's own text that looks like a seal.
        return text;
      }
    },
  };
}
