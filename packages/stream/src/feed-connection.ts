import {
  comparePositions,
  decodeEntry,
  LockstepError,
  parsePosition,
  type Position,
  type StreamEntry,
} from "@lockstep/core";
import {
  becomesReady,
  newClient,
  unavailable,
  type RedisClient,
  type RedisConnection,
} from "./redis-link.js";
import { lastScript } from "./scripts/append.js";
import { runScript } from "./scripts/script.js";

/** What one read asks for. */
interface FeedRead {
  readonly stream: string;
  readonly after: Position;
  readonly maxEntries: number;
  readonly blockMs: number;
  readonly signal?: AbortSignal;
}

/** A connection that one lane's feed blocks on; nothing else shares it. */
export interface FeedConnection {
  /** Entries after a position; an empty array when none came in time or the read was aborted. */
  read(read: FeedRead): Promise<readonly StreamEntry[]>;
  close(): void;
}

type StreamReply = [stream: string, entries: [id: string, fields: string[]][]][] | null;

/** Opens the connection at the first read, and anew after it failed or was aborted. */
export function feedConnection(redis: RedisConnection, commandTimeoutMs: number): FeedConnection {
  let client: RedisClient | undefined;
  const drop = (): void => {
    client?.disconnect();
    client = undefined;
  };
  const open = (): RedisClient => {
    const opened = newClient(redis);
    opened.on("error", () => undefined);
    return opened;
  };
  let isClosed = false;
  return {
    close() {
      isClosed = true;
      drop();
    },
    async read(read) {
      if (read.signal?.aborted) return [];
      if (isClosed) throw unavailable(new Error("the reader is closed"));
      client ??= open();
      // A blocking command can't be taken back: closing its connection is the only way out.
      read.signal?.addEventListener("abort", drop, { once: true });
      // Half-open connections never answer.
      const overdue = setTimeout(drop, read.blockMs + commandTimeoutMs);
      try {
        await becomesReady(client, commandTimeoutMs);
        const reply = (await client.call("xread", ...parametersOf(read))) as StreamReply;
        if (reply === null) await refuseTrimmed(client, read);
        const entries = (reply?.[0]?.[1] ?? []).map(([, fields]) => decodeFields(fields));
        // ioredis assigns a function literal to a property of the command, and V8 makes such a function among its old objects: the reply that it leads to outlives
        // every collection of the young ones. Not with all that it brought.
        if (reply !== null) reply.length = 0;
        return entries;
      } catch (error) {
        if (read.signal?.aborted) return [];
        if (error instanceof LockstepError) throw error;
        drop();
        throw unavailable(error);
      } finally {
        clearTimeout(overdue);
        read.signal?.removeEventListener("abort", drop);
      }
    },
  };
}

function parametersOf({ stream, after, maxEntries, blockMs }: FeedRead): (string | number)[] {
  const block = blockMs > 0 ? ["BLOCK", Math.ceil(blockMs)] : [];
  return ["COUNT", maxEntries, ...block, "STREAMS", stream, after];
}

/**
 * Nothing came: either nothing is newer, or what was newer is trimmed and the stream is empty. The second would make a lane
 * wait for ever on a quiet source.
 * @throws LockstepError STREAM_GAP in the second case.
 */
async function refuseTrimmed(client: RedisClient, { stream, after }: FeedRead): Promise<void> {
  const last = await runScript(client, lastScript, [stream], []);
  // Not there (yet): the relay will make it.
  if (typeof last !== "string" || comparePositions(parsePosition(last), after) <= 0) return;
  const again = (await client.call("xread", "COUNT", 1, "STREAMS", stream, after)) as StreamReply;
  if (again === null) {
    throw new LockstepError("STREAM_GAP", `the stream was trimmed through ${last}, beyond ${after}`);
  }
}

function decodeFields(fields: readonly string[]): StreamEntry {
  const [, envelope = "", , rows = ""] = fields;
  return decodeEntry({ envelope, rows });
}
