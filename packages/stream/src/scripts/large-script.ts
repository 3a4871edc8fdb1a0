import { Command } from "ioredis";
import type { RedisClient } from "../redis-link.js";
import type { ReusedMemory } from "./reused-memory.js";
import { isUnknownScript, runScript, type Script } from "./script.js";

interface Call {
  readonly script: Script;
  readonly keys: readonly string[];
  /** What the server gets to know the script by, when it doesn't (yet, or after a restart): parameters with which it changes nothing. */
  readonly harmless: readonly string[];
  /** What the call is written to. */
  readonly memory: ReusedMemory;
}

/**
 * Runs a script with large texts as parameters. They are written into memory that is there already: ioredis makes a Buffer of every text and another one of all; V8
 * counts them and begins a full collection all the sooner, and what a command holds may live until then.
 */
export function runLargeScript(
  client: RedisClient,
  call: Call,
  parameters: readonly string[],
): Promise<unknown> {
  const { script, keys, memory } = call;
  const prefixed = keys.map((key) => `${client.options.keyPrefix ?? ""}${key}`);
  const bytes = encoded(["evalsha", script.sha, String(keys.length), ...prefixed, ...parameters], memory);
  // From here on nothing holds the texts.
  return run(client, call, bytes);
}

async function run(
  client: RedisClient,
  { script, keys, harmless, memory }: Call,
  bytes: Buffer,
): Promise<unknown> {
  const send = async (): Promise<unknown> =>
    await client.sendCommand(new EncodedCall(script, keys, client.options.keyPrefix, bytes));
  let isAnswered = false;
  try {
    const answer = await send().catch(async (error: unknown) => {
      if (!isUnknownScript(error)) throw error;
      await runScript(client, script, keys, harmless);
      return send();
    });
    isAnswered = true;
    return answer;
  } finally {
    memory.release(isAnswered);
  }
}

/** What ioredis needs to know of a call: a cluster finds the node by its keys, and may ask for the bytes again. */
class EncodedCall extends Command {
  constructor(
    { sha }: Script,
    keys: readonly string[],
    keyPrefix: string | undefined,
    private readonly bytes: Buffer,
  ) {
    super("evalsha", [sha, String(keys.length), ...keys], {
      replyEncoding: "utf8",
      ...(keyPrefix !== undefined && { keyPrefix }),
    });
  }

  override toWritable(): Buffer {
    return this.bytes;
  }
}

/** A command in Redis' protocol. */
function encoded(texts: readonly string[], memory: ReusedMemory): Buffer {
  const start = `*${texts.length}\r\n`;
  const sizes = texts.map((text) => Buffer.byteLength(text));
  const heads = sizes.map((size) => `$${size}\r\n`);
  const bytes = memory.take(sizes.reduce((sum, size, i) => sum + heads[i]!.length + size + 2, start.length));
  let at = bytes.write(start, "latin1");
  for (const [i, text] of texts.entries()) {
    at += bytes.write(heads[i]!, at, "latin1");
    // Where all are ASCII it takes no walk over its characters, as V8's own conversion would: a tenth of the time.
    at += bytes.write(text, at, sizes[i] === text.length ? "latin1" : "utf8");
    at += bytes.write("\r\n", at, "latin1");
  }
  return bytes;
}
