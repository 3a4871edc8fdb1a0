import { LockstepError } from "@lockstep/core";

const version = "1";
const maxLength = 8_192;

/** Marks by space as one text that fits into a header. Pure. */
export function writeToken(marks: ReadonlyMap<string, string>): string {
  return `${version}.${Buffer.from(JSON.stringify(Object.fromEntries(marks))).toString("base64url")}`;
}

/** @throws LockstepError READ_TOKEN_INVALID. Pure. */
export function readToken(token: string): ReadonlyMap<string, string> {
  // A header that was sent twice is a list.
  if (typeof token !== "string") throw invalid("it isn't one text");
  const [first, body = ""] = token.split(".", 2);
  if (first !== version || token.length > maxLength) throw invalid("it isn't a read token of this version");
  try {
    const marks: unknown = JSON.parse(Buffer.from(body, "base64url").toString());
    if (typeof marks === "object" && marks !== null && !Array.isArray(marks)) {
      const entries = Object.entries(marks);
      if (entries.every((entry): entry is [string, string] => typeof entry[1] === "string"))
        return new Map(entries);
    }
  } catch {
    // Said below.
  }
  throw invalid("it isn't a read token");
}

/** The error of a token that nothing can be done with. */
export function invalid(why: string): LockstepError {
  return new LockstepError("READ_TOKEN_INVALID", `the token can't be read: ${why}`);
}
