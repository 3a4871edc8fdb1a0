import { captureKinds, defaultRetryPolicy, type Sink } from "@lockstep/core";
import { z } from "zod";
import { conflictsSchema, policySchema } from "./conflicts.js";
import { hashes, mapSchema } from "./map.js";
import { misplacedSchedules, scheduleSchema } from "./schedule/schedule-schema.js";
import { followedBy, twoWayProblems } from "./two-way.js";

const name = z
  .string()
  .regex(
    /^[a-z][a-z0-9_-]{0,62}$/i,
    "must start with a letter and hold letters, digits, - and _ (at most 63)",
  );
const url = (...protocols: readonly string[]) =>
  z.string().refine((text) => protocols.some((p) => text.startsWith(`${p}://`)) && URL.canParse(text), {
    error: `must be a URL that starts with ${protocols.map((p) => `${p}://`).join(" or ")}`,
  });
const postgresUrl = () => url("postgres", "postgresql");
const mysqlUrl = () => url("mysql", "mariadb");
const redisUrl = () => url("redis", "rediss");
const queueName = z.string().regex(/^[^:]+$/, "must not be empty or hold a colon: BullMQ takes no such name");
const milliseconds = (min: number) => z.int().min(min).max(86_400_000);

const anyTarget = {
  /** Sources this target mirrors; default all. */
  sources: z.array(name).min(1).exactOptional(),
  /** What becomes of single tables in this target: names, columns, filters, computed columns, masks. Default: all as they are. */
  map: mapSchema.exactOptional(),
  /** Keys the hashes of masked columns, and seals in letters what this target must not show. */
  maskSecret: z.string().min(16, "must have at least 16 characters").exactOptional(),
};

const target = {
  ...anyTarget,
  /** What decides, by the target's tables, where others write the rows as well. Default: they are overwritten. */
  conflicts: conflictsSchema.exactOptional(),
  /** `managed`: Lockstep makes the tables; `external`: they exist and are checked. */
  schema: z.enum(["managed", "external"]).default("external"),
  namespace: z.string().min(1).exactOptional(),
  allowInsensitiveKeys: z.boolean().default(false),
  statementTimeoutMs: milliseconds(100).default(30_000),
};

const sinkTarget = {
  ...anyTarget,
  conflicts: z
    .never({ error: "need a database as the target: this one can't tell who wrote its rows" })
    .exactOptional(),
  /** A database that keeps the target's identity, checkpoints and letters: of this target alone, on any PostgreSQL, MySQL or MariaDB server. */
  state: z.union([postgresUrl(), mysqlUrl()], { error: "must be a postgres:// or mysql:// URL" }),
};

const secret = z.string().min(16, "must have at least 16 characters");

/** How the changes of a table that nobody captures are found. */
const incremental = z.strictObject({
  /** The column that every write of a row raises. */
  column: z.string().min(1),
  /** What its values are; default by its type. */
  kind: z.enum(["timestamp", "number", "epoch-ms", "epoch-s"]).exactOptional(),
  /** How far behind its moment a value may lie. */
  overlapMs: milliseconds(1_000).exactOptional(),
  /** A column that isn't NULL, false or 0 in a row that counts as deleted. */
  softDelete: z.string().min(1).exactOptional(),
  /** Keys are compared in the first pass after so long, to find rows that were deleted. */
  deletesEveryMs: z.int().min(1_000).exactOptional(),
});

const source = z.strictObject({
  /** Redis of this source, when it isn't the common one. */
  redis: redisUrl().exactOptional(),
  /** As in the publisher. */
  capture: z.enum(captureKinds).default("subscriber"),
  /** Tables that the commands install capture for, as `name` or `namespace.name`; entities come from a DataSource. */
  captureTables: z.array(z.string().min(1)).default([]),
  /** As in the publisher. */
  foreignKeyActions: z.enum(["capture", "refuse", "accept"]).exactOptional(),
  /** As in the publisher. */
  wal: z
    .strictObject({
      maxHeldBytes: z.int().min(1).exactOptional(),
      confirm: z.enum(["applied", "published"]).exactOptional(),
      maxAgeMs: z.int().min(1_000).exactOptional(),
    })
    .prefault({}),
  /** As in the publisher. */
  partitions: z.int().min(1).max(256).default(1),
  /** The source database; only a relay outside the application needs it. */
  url: z
    .union([postgresUrl(), mysqlUrl()], { error: "must be a postgres:// or mysql:// URL" })
    .exactOptional(),
  /** A database of ours for a source that holds nothing of ours: outbox, registry and jobs lie there. */
  stateStore: z
    .union([postgresUrl(), mysqlUrl()], { error: "must be a postgres:// or mysql:// URL" })
    .exactOptional(),
  /** Tables that no capture touches, as `name` or `namespace.name`: lockstep sync incremental reads them. */
  incremental: z.record(z.string().min(1), incremental).default({}),
  /** As in the publisher. */
  outbox: z
    .strictObject({
      schema: z.string().min(1).exactOptional(),
      prefix: z.string().min(1).exactOptional(),
      table: z
        .string()
        .regex(
          /^[a-z_][a-z0-9_]{0,62}$/,
          "must be 1 to 63 small letters, digits and _, beginning with no digit",
        )
        .exactOptional(),
    })
    .prefault({}),
  /** Changes of a table as jobs in a BullMQ queue of your own: `namespace.table` → queue. Fed by the relay that `url` starts. */
  queues: z
    .record(z.string().regex(/^.+\..+$/, "must name a table as namespace.table"), queueName)
    .default({}),
});

const twoWay = z.strictObject({
  /** The node that decides conflicts, and sends on what each leaf writes. */
  hub: name,
  leaves: z.array(name).min(1),
  /** The tables that all of them have, by plain name, and what decides where two have changed the same row. */
  tables: z
    .record(
      z.string().regex(/^[^.*]+$/, "must be a plain name: its namespace may differ from node to node"),
      policySchema,
    )
    .refine((tables) => Object.keys(tables).length > 0, "must name at least one table"),
});

const retryRule = {
  attempts: z.int().min(1).max(100),
  delayMs: milliseconds(1),
  maxDelayMs: milliseconds(1),
  jitter: z.number().min(0).max(1),
};
const retry = z.strictObject({
  attempts: retryRule.attempts.default(defaultRetryPolicy.attempts),
  delayMs: retryRule.delayMs.default(defaultRetryPolicy.delayMs),
  maxDelayMs: retryRule.maxDelayMs.default(defaultRetryPolicy.maxDelayMs),
  jitter: retryRule.jitter.default(defaultRetryPolicy.jitter),
});
const tableRetry = z.strictObject({
  attempts: retryRule.attempts.exactOptional(),
  delayMs: retryRule.delayMs.exactOptional(),
  maxDelayMs: retryRule.maxDelayMs.exactOptional(),
  jitter: retryRule.jitter.exactOptional(),
});

/** Targets whose state lies where another target's checkpoints do: they would take each other's for their own. */
function sharedStates(targets: Readonly<Record<string, { readonly state?: string; readonly url?: string }>>) {
  const places = Object.entries(targets).map(
    ([name, { state, url }]) => [name, place(state ?? url)] as const,
  );
  return Object.entries(targets).flatMap(([name, { state }]) => {
    if (state === undefined) return [];
    const other = places.find(([other, at]) => other !== name && at === place(state));
    return other === undefined ? [] : [[name, other[0]] as const];
  });
}

function place(text: string | undefined): string {
  if (text === undefined || !URL.canParse(text)) return "";
  const { hostname, port, pathname } = new URL(text);
  return `${hostname}:${port}${pathname}`;
}

/** Options that a source can't have beside its others, each with the reason. */
function misplaced({
  url,
  stateStore,
  capture,
  captureTables,
  incremental,
}: z.output<typeof source>): (readonly [option: string, message: string])[] {
  const wrong: (readonly [string, string])[] = [];
  const tables = Object.keys(incremental);
  const both = captureTables.filter((table) => tables.some((other) => isSameTable(table, other)));
  if (both.length > 0)
    wrong.push(["captureTables", `are captured already: ${both.join(", ")} is in incremental`]);
  if (stateStore === undefined) {
    // What the outbox is told of a table, the database's own captures would take for theirs.
    if (tables.length > 0 && capture !== "subscriber")
      wrong.push([
        "incremental",
        `capture by ${capture} can see these tables: name them in captureTables, or read them as a source of their own, with a stateStore`,
      ]);
    return wrong;
  }
  if (url === undefined) wrong.push(["url", "is needed beside stateStore: from there rows are read"]);
  if (url !== undefined && place(url) === place(stateStore))
    wrong.push(["stateStore", "must not be the source itself"]);
  if (tables.length === 0)
    wrong.push(["incremental", "must name the tables to read: beside stateStore nothing is captured"]);
  if (capture !== "subscriber" || captureTables.length > 0)
    wrong.push([
      capture === "subscriber" ? "captureTables" : "capture",
      "captures write into the source: leave it out beside stateStore",
    ]);
  return wrong;
}

/** Whether two names, with or without namespace, may mean one table. */
function isSameTable(a: string, b: string): boolean {
  return a === b || a.endsWith(`.${b}`) || b.endsWith(`.${a}`);
}

/** The shape of `lockstep.config.ts`. Objects are strict: a misspelt option is an error, not a silent default. */
export const configSchema = z
  .strictObject({
    redis: redisUrl(),
    sources: z.record(name, source).refine((s) => Object.keys(s).length > 0, "must name at least one source"),
    targets: z
      .record(
        name,
        z.discriminatedUnion("type", [
          z.strictObject({ type: z.literal("postgres"), url: postgresUrl(), ...target }),
          z.strictObject({
            type: z.literal("mysql"),
            url: mysqlUrl(),
            ...target,
            /** Types of managed columns by `namespace.table.column` of the source, e.g. DECIMAL(38,9) for an unbounded numeric. */
            columnTypes: z.record(z.string(), z.string()).exactOptional(),
            /** Length of a managed text or bytes key that has none at the source. */
            keyLength: z.int().min(1).max(768).exactOptional(),
          }),
          z.strictObject({
            type: z.literal("webhook"),
            url: url("http", "https"),
            ...sinkTarget,
            /** Signs the messages; several while a secret is being changed. */
            secret: z.union([secret, z.array(secret).min(1)], {
              error: "must be a text of at least 16 characters, or several",
            }),
            timeoutMs: milliseconds(100).exactOptional(),
            concurrency: z.int().min(1).max(256).exactOptional(),
            headers: z.record(z.string(), z.string()).exactOptional(),
          }),
          z.strictObject({
            type: z.literal("redis"),
            url: redisUrl(),
            ...sinkTarget,
            /** Template of the rows' keys, of {namespace}, {table} and {key}; default {table}:{key}. */
            key: z.string().includes("{key}", "must hold {key}").exactOptional(),
            /** Rows that don't change for so long expire. */
            ttlSeconds: z.int().min(1).exactOptional(),
            /** A removed row's version stays for so long. */
            tombstoneSeconds: z.int().min(60).exactOptional(),
            /** A cache that may be emptied: rows come back when they change. */
            mayBeEmptied: z.boolean().exactOptional(),
            commandTimeoutMs: milliseconds(100).exactOptional(),
          }),
          z.strictObject({
            type: z.literal("sink"),
            ...sinkTarget,
            /** Opens a sink of your own; called once in each process (docs/strategies/own-target.md). */
            open: z.custom<() => Sink | Promise<Sink>>(
              (value) => typeof value === "function",
              "must be a function",
            ),
          }),
        ]),
      )
      .default({}),
    /** Databases that hold the same tables and are all written: each a source and a target of the same name. */
    twoWay: z.record(name, twoWay).default({}),
    retry: retry.prefault({}),
    /** Retry rules of single tables (`namespace.table`), laid over `retry`. */
    entities: z.record(z.string(), z.strictObject({ retry: tableRetry.exactOptional() })).default({}),
    /** Bounds of one apply transaction, and of what is kept; the lanes' own defaults where left out. */
    lanes: z
      .strictObject({
        maxBatchEvents: z.int().min(1).max(100_000).exactOptional(),
        maxBatchBytes: z
          .int()
          .min(1024)
          .max(256 * 1024 * 1024)
          .exactOptional(),
        /** How long letters that are over stay in the targets. */
        keepLettersMs: z.int().min(0).exactOptional(),
        /** How long decided conflicts, and tombstones of tables with a policy, stay there. */
        keepConflictsMs: z.int().min(0).exactOptional(),
        /** How many decided conflicts of a lane stay there at most. */
        maxConflicts: z.int().min(0).exactOptional(),
      })
      .prefault({}),
    /** Jobs that consumers begin by the clock. */
    schedules: z.record(name, scheduleSchema).default({}),
    status: z
      .strictObject({
        host: z.string().min(1).default("127.0.0.1"),
        port: z.int().min(0).max(65_535).default(9464),
        token: z.string().min(16, "must have at least 16 characters").exactOptional(),
        maskColumns: z.array(z.string()).default([]),
      })
      .prefault({}),
    /** A process that is told to stop has this long. */
    drainTimeoutMs: milliseconds(100).default(10_000),
    logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  })
  .superRefine((config, context) => {
    for (const [sourceName, { url, queues }] of Object.entries(config.sources)) {
      if (url !== undefined || Object.keys(queues).length === 0) continue;
      context.addIssue({
        code: "custom",
        path: ["sources", sourceName, "queues"],
        message:
          "are fed by the relay: give the source a url, or name them in the publisher whose relay runs in the application",
      });
    }
    for (const [sourceName, settings] of Object.entries(config.sources)) {
      for (const [option, message] of misplaced(settings)) {
        context.addIssue({ code: "custom", path: ["sources", sourceName, option], message });
      }
    }
    for (const [path, message] of twoWayProblems(config)) {
      context.addIssue({ code: "custom", path: [...path], message });
    }
    for (const [path, message] of misplacedSchedules(config)) {
      context.addIssue({ code: "custom", path: [...path], message });
    }
    for (const [targetName, other] of sharedStates(config.targets)) {
      context.addIssue({
        code: "custom",
        path: ["targets", targetName, "state"],
        message: `must be a database of its own: ${other} uses the same`,
      });
    }
    for (const [targetName, { sources, map, maskSecret }] of Object.entries(config.targets)) {
      if (map !== undefined && maskSecret === undefined && hashes(map)) {
        const variable = `LOCKSTEP_TARGET_${targetName.toUpperCase().replaceAll("-", "_")}_MASK_SECRET`;
        context.addIssue({
          code: "custom",
          path: ["targets", targetName, "maskSecret"],
          message: `is needed by the hashes of map; better in ${variable} than in the file`,
        });
      }
      for (const [index, sourceName] of (sources ?? []).entries()) {
        if (sourceName in config.sources) continue;
        const known = Object.keys(config.sources).join(", ");
        context.addIssue({
          code: "custom",
          path: ["targets", targetName, "sources", index],
          message: `names an unknown source; known: ${known}`,
        });
      }
    }
  })
  .transform((config) => {
    const targets = Object.entries(config.targets).map(([target, settings]) => {
      const sources = followedBy(config.twoWay, target);
      return [target, sources === undefined ? settings : { ...settings, sources: [...sources] }] as const;
    });
    return { ...config, targets: Object.fromEntries(targets) };
  });

/** What a user writes: everything with a default may be left out. */
export type LockstepConfigInput = z.input<typeof configSchema>;
/** What the services read. */
export type LockstepConfig = z.output<typeof configSchema>;

/** Gives a configuration file its types; returns what it is given. */
export function defineConfig(config: LockstepConfigInput): LockstepConfigInput {
  return config;
}
