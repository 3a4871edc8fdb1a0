import { type HeldRow, type HeldRows, type TableSchema, tableId } from "@lockstep/core";
import type { Redis } from "ioredis";
import type { KeyTemplate } from "./key-template.js";
import { ownField } from "./scripts.js";

/** What reading needs. */
interface HeldOptions {
  readonly redis: Redis;
  readonly keys: KeyTemplate;
  readonly isWhole: boolean;
}

/** Reads the hashes that lie under a template, with SCAN: nobody is held up. What is somebody's own, or of another table, is left out. */
export function heldHashes({ redis, keys, isWhole }: HeldOptions): HeldRows {
  const read = async (table: TableSchema, places: readonly string[]): Promise<readonly HeldRow[]> => {
    const pipeline = redis.pipeline(places.map((place) => ["hgetall", place]));
    const answers = (await pipeline.exec()) ?? [];
    return answers.flatMap(([error, hash], i): readonly HeldRow[] => {
      if (error !== null && !error.message.includes("WRONGTYPE")) throw error;
      const key = error === null ? keys.keyAt(table, places[i]!) : undefined;
      return key === undefined ? [] : (rowOf(table, key, hash as Readonly<Record<string, string>>) ?? []);
    });
  };
  return {
    isWhole,
    async page(table, { after = "0", limit }) {
      const pattern = keys.patternOf(table);
      const [next, found] = await redis.scan(after, "MATCH", pattern, "COUNT", limit, "TYPE", "hash");
      const rows = await read(table, [...new Set(found)]);
      return next === "0" ? { rows } : { rows, next };
    },
    find: (table, wanted) =>
      read(
        table,
        wanted.map((key) => keys.keyOf(table, key)),
      ),
  };
}

function rowOf(
  table: TableSchema,
  key: string,
  hash: Readonly<Record<string, string>>,
): readonly HeldRow[] | undefined {
  // `<version> <namespace.table>`
  const own = hash[ownField];
  if (own === undefined || own.slice(own.indexOf(" ") + 1) !== tableId(table)) return undefined;
  return [{ key, texts: table.columns.map(({ name }) => hash[name] ?? null) }];
}
