import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadConfig } from "@lockstep/config";
import { startConsumer } from "@lockstep/consumer";
import { startRelays } from "@lockstep/relay";
import { compareSides, type Comparison, freshRedis, NodeProcess, type Side } from "@lockstep/testing";
import { pino } from "pino";
import { runHere, type Said, untilItHasACheckpoint } from "./rig.js";
import { type Kind, openRigRoom } from "./rig-room.js";

/** A source that Lockstep may only read, its state store, targets, a relay and a consumer. */
export interface UntouchedRig extends AsyncDisposable {
  /** As its owner. */
  readonly source: Side;
  /** Another session of its owner. */
  session(): Promise<Side & AsyncDisposable>;
  readonly store: Side;
  readonly targets: Readonly<Record<string, Side>>;
  lockstep(...args: readonly string[]): Promise<Said>;
  /** The same as a process that can be killed. */
  start(...args: readonly string[]): Promise<NodeProcess>;
  /** Changes the configuration that commands read from here on. */
  configure(incremental: object): Promise<void>;
  compare(target: string): Promise<Comparison>;
}

/** What an untouched source is like. */
export interface UntouchedOptions {
  readonly kind: Kind;
  readonly store: Kind;
  readonly targets: Readonly<Record<string, Kind>>;
  readonly tables: readonly string[];
  readonly setup: readonly string[];
  /** By name of the table. */
  readonly incremental: object;
  /** On MariaDB: the role sees transactions. Default true. */
  readonly seesTransactions?: boolean;
}

/** Makes the tables by `setup`, and a role that may read them. */
export async function openUntouchedRig(options: UntouchedOptions): Promise<UntouchedRig> {
  const room = await openRigRoom();
  const { folder, fresh, open } = room;
  const [{ url }, { url: storeUrl }, redis] = [
    await fresh(options.kind),
    await fresh(options.store),
    await freshRedis(),
  ];
  room.undo(() => redis.drop());
  const source = await open(url);
  for (const statement of options.setup) await source.query(statement);
  const reader = await readOnly(source, url, options);
  room.undo(reader.drop);

  const targets: Record<string, Side> = {};
  const configured: Record<string, object> = {};
  for (const [name, kind] of Object.entries(options.targets)) {
    const database = await fresh(kind);
    targets[name] = await open(database.url);
    configured[name] = {
      type: kind === "postgres" ? "postgres" : "mysql",
      url: database.url,
      schema: "managed",
    };
  }
  let file = "";
  let files = 0;
  // A file of its own each time: a process reads one only once.
  const configure = (incremental: object): Promise<void> =>
    writeFile(
      (file = join(folder, `lockstep-${++files}.config.json`)),
      JSON.stringify({
        redis: redis.url,
        sources: { vendor: { url: reader.url, stateStore: storeUrl, incremental } },
        targets: configured,
      }),
    );
  await configure(options.incremental);
  const context = {
    config: await loadConfig({ file }),
    logger: pino({ level: process.env["LOCKSTEP_TEST_LOG"] ?? "silent" }),
  };
  const relays = await startRelays(context);
  room.undo(async () => relays[Symbol.asyncDispose]());
  const consumer = await startConsumer(context, { jobs: { quietMs: 600_000 } });
  room.undo(async () => consumer[Symbol.asyncDispose]());
  for (const side of Object.values(targets)) await untilItHasACheckpoint(side);
  const main = new URL("../../../bin.js", import.meta.url).pathname;
  return {
    source,
    session: () => open(url),
    store: await open(storeUrl),
    targets,
    lockstep: (...args) => runHere([...args, "--config", file]),
    start: (...args) => NodeProcess.start({ main, args: [...args, "--config", file] }),
    configure,
    compare: (name) => compareSides(source, targets[name]!, { tables: options.tables }),
    [Symbol.asyncDispose]: () => room[Symbol.asyncDispose](),
  };
}

/** A role that may read the database, and nothing else. */
async function readOnly(
  { engine, query, namespace }: Side,
  url: string,
  { seesTransactions = true }: UntouchedOptions,
): Promise<{ readonly url: string; drop(): Promise<unknown> }> {
  const name = `reader_${randomBytes(4).toString("hex")}`;
  const own = new URL(url);
  own.username = name;
  own.password = "reader";
  if (engine === "postgres") {
    await query(`create role ${name} login password 'reader'`);
    await query(`grant select on all tables in schema public to ${name}`);
    const drop = async (): Promise<void> => {
      await query(`drop owned by ${name}`);
      await query(`drop role ${name}`);
    };
    return { url: own.href, drop };
  }
  await query(`create user ${name}@'%' identified by 'reader'`);
  await query(`grant select on ${namespace}.* to ${name}@'%'`);
  if (seesTransactions) await query(`grant process on *.* to ${name}@'%'`);
  return { url: own.href, drop: () => query(`drop user ${name}@'%'`) };
}
