import { type Lane, startLane } from "@lockstep/apply";
import {
  type DeadLetter,
  liveLetterStates,
  type Logger,
  type TableReader,
  type Target,
} from "@lockstep/core";
import { bullLetterSchedule, redisStreamReader } from "@lockstep/stream";
import { mysqlTarget } from "@lockstep/target-mysql";
import { postgresTarget } from "@lockstep/target-postgres";
import { eventually } from "@lockstep/testing";
import { openTextReader, type TextReader } from "./read-texts.js";
import { sourceName } from "./source.js";

/** A managed target with its lane in this process. */
export interface TargetOnTrial extends AsyncDisposable {
  readonly reader: TextReader;
  /** The same database as verify reads it. */
  readonly tables: TableReader;
  /** Waits until the lane has registered: what is written from now on reaches it. */
  registered(): Promise<void>;
  /** Waits until everything up to a mark of the source has been applied or set aside. */
  reached(mark: number): Promise<void>;
  /** Live letters by `table id`. */
  letters(): Promise<ReadonlyMap<string, DeadLetter>>;
}

/** Starts a lane on the empty database at `url`. */
export async function openTarget(url: string, redis: string): Promise<TargetOnTrial> {
  const open = url.startsWith("postgres") ? postgresTarget : mysqlTarget;
  const target = open({ name: url.startsWith("postgres") ? "postgres" : "mysql", url, schema: "managed" });
  const link = { redis, source: sourceName };
  const stream = redisStreamReader(link);
  const schedule = bullLetterSchedule(link);
  const said: string[] = [];
  const lane = startLane({
    source: sourceName,
    partition: 0,
    target,
    reader: stream,
    schedule,
    retry: { attempts: 1 },
    // Here many bad rows are nothing but bad rows.
    limits: { maxLettersPerCode: 1_000_000, maxRefusedShare: 1 },
    logger: remembering(said),
  });
  const reader = await openTextReader(url);
  const tables = target.reader!();
  return {
    reader,
    tables,
    registered: () =>
      until(
        () => target.checkpoints(),
        ([one]) => one !== undefined,
        lane,
        said,
      ),
    reached: (mark) =>
      until(
        () => reader.texts("marker"),
        (texts) => texts?.has(String(mark)) === true,
        lane,
        said,
      ),
    letters: () => lettersOf(target),
    async [Symbol.asyncDispose]() {
      await lane[Symbol.asyncDispose]();
      await schedule.close();
      await stream.close();
      await tables.close();
      await reader[Symbol.asyncDispose]();
      await target.close();
    },
  };
}

async function until<T>(
  look: () => Promise<T>,
  enough: (found: T) => boolean,
  lane: Lane,
  said: readonly string[],
): Promise<void> {
  await eventually(
    async () => {
      if (enough(await look())) return true;
      const { state, reason } = lane.status();
      throw new Error(`lane ${state}: ${reason?.message ?? ""} ${said.at(-1) ?? ""}`);
    },
    { what: "the lane to come so far", timeoutMs: 60_000 },
  );
}

async function lettersOf({ letters }: Target): Promise<ReadonlyMap<string, DeadLetter>> {
  const found = new Map<string, DeadLetter>();
  let cursor: string | undefined;
  do {
    const page = await letters.list(
      { states: liveLetterStates },
      { limit: 200, ...(cursor === undefined ? {} : { cursor }) },
    );
    for (const letter of page.letters) {
      const table = letter.table.slice(letter.table.indexOf(".") + 1);
      found.set(`${table} ${(JSON.parse(letter.key) as string[])[0]}`, letter);
    }
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}

function remembering(said: string[]): Logger {
  const remember = (fields: object, message: string): void =>
    void said.push(`${message} ${JSON.stringify(fields)}`);
  return { debug: () => undefined, info: () => undefined, warn: remember, error: remember };
}
