import {
  type Checkpoint,
  type HeldRows,
  LockstepError,
  type RowImage,
  type Sink,
  type SinkChange,
  type SinkLane,
  type SinkRefusal,
  sinkVersion,
  type TableSchema,
  tableId,
  toCanonical,
} from "@lockstep/core";
import { Redis } from "ioredis";
import { heldHashes } from "./held-hashes.js";
import { keyTemplate } from "./key-template.js";
import { defineScripts, ownField, type ScriptCall } from "./scripts.js";

/** What hashes in Redis are made of. */
export interface RedisSinkOptions {
  /** Name of the target: part of the key under which it remembers how far it is. */
  readonly name: string;
  /** `redis://` or `rediss://`. */
  readonly url: string;
  /** Template of the rows' keys. Default `{table}:{key}`. */
  readonly key?: string;
  /** Rows that don't change for so long expire, s. Default: never. */
  readonly ttlSeconds?: number;
  /** A removed row's version stays for so long, s: longer than a consumer that lost its lane can still write. Default a day. */
  readonly tombstoneSeconds?: number;
  /** True for a cache that may be emptied: rows come back when they change. Default false: the lane stops, because it can't tell which rows are missing. */
  readonly mayBeEmptied?: boolean;
  /** A command that takes longer counts as an outage, ms. Default 5000. */
  readonly commandTimeoutMs?: number;
}

const defaults = {
  key: "{table}:{key}",
  ttlSeconds: 0,
  tombstoneSeconds: 86_400,
  mayBeEmptied: false,
  commandTimeoutMs: 5_000,
} as const;
const callsPerTrip = 500;

/**
 * Each row as a hash: fields are columns, values canonical texts, NULL is no field; `_lockstep` holds the version. Every write compares the version in the
 * same script (PROTOCOL.md 19).
 */
export function redisSink(options: RedisSinkOptions): Sink {
  return new RedisSink({ ...defaults, ...options });
}

class RedisSink implements Sink {
  readonly address: string;
  readonly held: HeldRows;
  readonly #options: Required<RedisSinkOptions>;
  readonly #redis: Redis;
  readonly #keys: ReturnType<typeof keyTemplate>;
  readonly #tables = new Map<string, TableSchema>();

  constructor(options: Required<RedisSinkOptions>) {
    this.#options = options;
    this.#keys = keyTemplate(options.key);
    const url = new URL(options.url);
    this.address = `${url.hostname}:${url.port || "6379"}${url.pathname}`;
    this.#redis = new Redis(options.url, {
      lazyConnect: true,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: options.commandTimeoutMs,
      commandTimeout: options.commandTimeoutMs,
      // After a fail-over a connection may still point to the demoted server.
      reconnectOnError: (error) => error.message.startsWith("READONLY"),
    });
    // Whoever sends a command hears of it; without a listener ioredis would write to the console.
    this.#redis.on("error", () => undefined);
    defineScripts(this.#redis);
    this.held = heldHashes({
      redis: this.#redis,
      keys: this.#keys,
      isWhole: options.ttlSeconds === 0 && !options.mayBeEmptied,
    });
  }

  async prepare(tables: readonly TableSchema[]): Promise<void> {
    for (const table of tables) this.#tables.set(tableId(table), table);
    this.#keys.refuseAmbiguous(this.#tables.values());
    await this.#redis.ping();
  }

  async write(table: TableSchema, changes: readonly SinkChange[]): Promise<readonly SinkRefusal[]> {
    // Rows that moved take unknown cells from their former key: read before anything is written.
    const images = await Promise.all(changes.map((change) => this.#known(table, change)));
    const calls = changes.map((change, i) => this.#callOf(table, change, images[i]));
    const refusals: SinkRefusal[] = [];
    for (let from = 0; from < calls.length; from += callsPerTrip) {
      const errors = await this.#run(calls.slice(from, from + callsPerTrip));
      for (const [i, error] of errors) refusals.push({ ...refusalOf(error), key: changes[from + i]!.key });
    }
    return refusals;
  }

  async truncate(table: TableSchema, { version, only = {} }: Parameters<Sink["truncate"]>[1]): Promise<void> {
    const fields = Object.entries(only).flatMap(([name, text]) => {
      const column = table.columns.find((one) => one.name === name)!;
      return [name, toCanonical(table.engine, column, text)];
    });
    let cursor = "0";
    do {
      const [next, keys] = await this.#redis.scan(
        cursor,
        "MATCH",
        this.#keys.patternOf(table),
        "COUNT",
        callsPerTrip,
      );
      await this.#run(
        keys.map((key): ScriptCall => [
          "lockstepEmpty",
          key,
          tombstone(key),
          version,
          this.#tombstoneMs,
          tableId(table),
          ...fields,
        ]),
      );
      cursor = next;
    } while (cursor !== "0");
  }

  async begin(checkpoint: Checkpoint, lane: SinkLane): Promise<void> {
    const mark = await this.#redis.get(this.#mark(lane));
    if (mark === null && (checkpoint.recordsSynced === 0 || this.#options.mayBeEmptied)) return;
    // What was acknowledged is gone from here on; a mark that is ahead only says that the step's end was lost.
    if (mark !== null && mark >= sinkVersion({ ...checkpoint, epoch: 0 })) return;
    throw new LockstepError(
      "TARGET_LOST_WRITES",
      `${this.#options.name} (${this.address}) has lost what it had taken`,
      {
        details: { target: this.#options.name, position: checkpoint.position },
      },
    );
  }

  async end(version: string, lane: SinkLane): Promise<void> {
    await this.#run([["lockstepMark", this.#mark(lane), version]]);
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  #mark({ source, partition }: SinkLane): string {
    return `lockstep:sink:${this.#options.name}:${source}:${partition}`;
  }

  get #tombstoneMs(): number {
    return this.#options.tombstoneSeconds * 1000;
  }

  /** The image with the cells that only lie under the row's former key. */
  async #known(table: TableSchema, { image, before }: SinkChange): Promise<RowImage | undefined> {
    if (image === undefined || before === undefined || !image.includes(0))
      return image && canonical(table, image);
    const former = await this.#redis.hgetall(this.#keys.keyOf(table, before));
    // Gone when the step is sent again: then the row has them already.
    if (former[ownField] === undefined) return canonical(table, image);
    return canonical(table, image).map((cell, i) =>
      cell === 0 ? (former[table.columns[i]!.name] ?? null) : cell,
    );
  }

  #callOf(table: TableSchema, { key: json, version }: SinkChange, image: RowImage | undefined): ScriptCall {
    const key = this.#keys.keyOf(table, json);
    if (image === undefined) return ["lockstepRemove", key, tombstone(key), version, this.#tombstoneMs];
    const nulls = table.columns.flatMap(({ name }, i) => (image[i] === null ? [name] : []));
    const fields = table.columns.flatMap(({ name }, i) => {
      const cell = image[i];
      return typeof cell === "string" ? [name, cell] : [];
    });
    const extent = image.includes(0) ? "part" : "whole";
    const ttl = this.#options.ttlSeconds * 1000;
    return [
      "lockstepWrite",
      key,
      tombstone(key),
      version,
      tableId(table),
      extent,
      ttl,
      nulls.length,
      ...nulls,
      ...fields,
    ];
  }

  /** Runs scripts in one round trip; those that failed for their key's sake. Throws what is about Redis. */
  async #run(calls: readonly ScriptCall[]): Promise<readonly (readonly [number, Error])[]> {
    if (calls.length === 0) return [];
    const answers = await this.#redis.pipeline(calls.map((call) => [...call])).exec();
    if (answers === null) throw new Error("the pipeline was not sent");
    const failed = answers.flatMap(([error], i) => (error === null ? [] : [[i, error] as const]));
    const systemic = failed.find(([, error]) => !error.message.includes("WRONGTYPE"));
    if (systemic !== undefined) throw systemic[1];
    return failed;
  }
}

/** Where a removed row's version stays. Key texts hold no colon, so no row can have this key. */
function tombstone(key: string): string {
  return `${key}:lockstep`;
}

function canonical(table: TableSchema, image: RowImage): RowImage {
  return table.columns.map((column, i) => {
    const cell = image[i] ?? (i < image.length ? null : 0);
    return typeof cell === "string" ? toCanonical(table.engine, column, cell) : cell;
  });
}

/** Something else lies under the row's key: somebody's own, which is left alone. */
function refusalOf(error: Error): Omit<SinkRefusal, "key"> {
  return { code: "TARGET_REFUSED", about: "WRONGTYPE", rawError: error.message };
}
