import {
  type Checkpoint,
  fingerprintOf,
  isLockstepError,
  positionOf,
  type Sink,
  sinkVersion,
  type TableSchema,
} from "@lockstep/core";
import { freshRedis, type FreshDatabase } from "@lockstep/testing";
import { expect } from "chai";
import { Redis } from "ioredis";
import { redisSink, type RedisSinkOptions } from "../src/index.js";

const lane = { source: "shop", partition: 0 };

function tableOf(name: string, key: readonly string[] = ["id"]): TableSchema {
  const schema = {
    engine: "postgres" as const,
    namespace: "public",
    name,
    key,
    columns: ["id", "a", "b"].map((column) => ({
      name: column,
      type: "text",
      kind: "text" as const,
      nullable: true,
    })),
  };
  return { ...schema, fingerprint: fingerprintOf(schema) };
}

const things = tableOf("things");
const checkpoint: Checkpoint = {
  position: "5-1",
  epoch: 1,
  incarnation: "i",
  total: 9,
  recordsSynced: 9,
  seeded: false,
  paused: false,
  restarts: 0,
};
const at = (tick: number, epoch = 1, restarts = 0): string =>
  sinkVersion({ position: positionOf(tick, 1), epoch, restarts });
const row = (version: string, ...image: (string | null | 0)[]) => ({
  key: JSON.stringify([image[0]]),
  position: "1-1" as const,
  version,
  image,
});
const gone = (version: string, id: string) => ({
  key: JSON.stringify([id]),
  position: "1-1" as const,
  version,
});

describe("hashes in Redis", () => {
  let database: FreshDatabase;
  let redis: Redis;
  let sinks: Sink[] = [];
  before(async () => {
    database = await freshRedis();
    redis = new Redis(database.url);
  });
  beforeEach(() => redis.flushdb());
  afterEach(async () => {
    for (const sink of sinks) await sink.close();
    sinks = [];
  });
  after(async () => {
    redis.disconnect();
    await database.drop();
  });
  const open = (options: Partial<RedisSinkOptions> = {}): Sink => {
    const sink = redisSink({ name: "cache", url: database.url, ...options });
    sinks.push(sink);
    return sink;
  };

  it("have a field for each value and none for NULL, and the version", async () => {
    await open().write(things, [row(at(1), "1", "", null)], lane);
    expect(await redis.hgetall("things:1")).deep.equal({
      id: "1",
      a: "",
      _lockstep: `${at(1)} public.things`,
    });
  });

  it("lie under keys of the template, no two rows under one", async () => {
    const table = tableOf("a:b", ["id", "a"]);
    const sink = open({ key: "shop:{namespace}:{table}:{key}" });
    const keyed = (id: string, a: string) => ({ ...row(at(1), id, a, null), key: JSON.stringify([id, a]) });
    await sink.write(table, [keyed("x:y", "z"), keyed("x", "y:z"), keyed("100%", "")], lane);
    expect((await redis.keys("*")).sort()).deep.equal([
      "shop:public:a%3Ab:100%25:",
      "shop:public:a%3Ab:x%3Ay:z",
      "shop:public:a%3Ab:x:y%3Az",
    ]);
  });

  it("refuse templates under which rows would share a key", async () => {
    expect(() => open({ key: "shop:{table}" })).throw("names no {key}");
    for (const key of ["{table}{key}", "{table}-{key}", "x:{key}{namespace}", "{namespace}:{table}/{key}"])
      expect(() => open({ key }), key).throw("no colon between {key} and another name");
    for (const key of ["{table}:{key}", "{key}", "{namespace}{table}::{key}", "a{key}:{table}"])
      open({ key });
    await open().prepare!([things, tableOf("others")], lane);
    const one = { ...tableOf("things"), namespace: "old" };
    for (const [sink, tables] of [
      [open({ key: "row:{key}" }), [things, tableOf("others")]],
      [open(), [things, one]],
    ] as const) {
      const error = await sink.prepare!(tables, lane).then(
        () => undefined,
        (e: unknown) => e,
      );
      expect(isLockstepError(error, "CONFIG_INVALID"), String(error)).equal(true);
    }
  });

  it("take no lower version, also after they are removed, and the same one again", async () => {
    const sink = open();
    await sink.write(things, [row(at(5), "1", "five", null)], lane);
    await sink.write(things, [row(at(4), "1", "four", null)], lane);
    await sink.write(things, [gone(at(4), "1")], lane);
    expect(await redis.hget("things:1", "a")).equal("five");
    await sink.write(things, [row(at(5), "1", "five again", null)], lane);
    await sink.write(things, [row(at(5, 0), "1", "former owner", null)], lane);
    expect(await redis.hget("things:1", "a")).equal("five again");
    await sink.write(things, [gone(at(6), "1")], lane);
    await sink.write(things, [row(at(5), "1", "late", null)], lane);
    expect(await redis.exists("things:1")).equal(0);
    expect(await redis.pttl("things:1:lockstep")).within(1, 86_400_000);
    await sink.write(things, [row(at(7), "1", "back", null)], lane);
    expect(await redis.keys("*")).deep.equal(["things:1"]);
  });

  it("of a row that moved keep what lay under its former key, also when the step that moved it is sent again", async () => {
    const moved = (epoch: number) => [
      { ...row(at(2, epoch), "2", "A", 0), before: '["1"]' },
      gone(at(2, epoch), "1"),
    ];
    await open().write(things, [row(at(1), "1", "a", "b")], lane);
    await open().write(things, moved(1), lane);
    await open().write(things, moved(2), lane);
    expect(await redis.hgetall("things:2")).deep.include({ id: "2", a: "A", b: "b" });
    expect(await redis.exists("things:1")).equal(0);
  });

  it("expire, and aren't made of a part of a row that has expired", async () => {
    const sink = open({ ttlSeconds: 60 });
    await sink.write(things, [row(at(1), "1", "a", "b")], lane);
    expect(await redis.pttl("things:1")).within(1, 60_000);
    await redis.del("things:1");
    await sink.write(things, [row(at(2), "1", "A", 0)], lane);
    expect(await redis.exists("things:1")).equal(0);
    await sink.write(things, [row(at(3), "1", "A", "B")], lane);
    await sink.write(things, [row(at(4), "1", 0, null)], lane);
    expect(await redis.hgetall("things:1"))
      .deep.include({ a: "A" })
      .and.not.property("b");
  });

  it("of a table are emptied without those of others, and without what is somebody's own", async () => {
    const sink = open();
    await sink.write(
      things,
      [row(at(1), "1", "x", null), row(at(9), "2", "newer", null), row(at(1), "3", "y", null)],
      lane,
    );
    await sink.write({ ...things, namespace: "old" }, [row(at(1), "4", "x", null)], lane);
    await redis.set("things:own", "string");
    await redis.hset("things:app", "a", "x");
    await sink.truncate(things, { position: "5-1", version: at(5), only: { a: "x" } }, lane);
    expect((await redis.keys("things:*")).sort()).deep.equal([
      "things:1:lockstep",
      "things:2",
      "things:3",
      "things:4",
      "things:app",
      "things:own",
    ]);
    await sink.truncate(things, { position: "5-1", version: at(5) }, lane);
    expect(await redis.exists("things:2", "things:3", "things:4", "things:own", "things:app")).equal(4);
  });

  it("are listed page by page and found by key, without those of others and what is somebody's own", async () => {
    const sink = open({ key: "{table}:{key}/{key}" });
    const table = tableOf("a:b", ["id", "a"]);
    const ids = Array.from({ length: 30 }, (_, i) => [`x:${i}`, "50%"] as const);
    const rows = ids.map(([id, a]) => ({ ...row(at(1), id, a, null), key: JSON.stringify([id, a]) }));
    await sink.write(table, rows, lane);
    await sink.write(table, [{ ...gone(at(2), ""), key: JSON.stringify(ids[0]) }], lane);
    await redis.hset("a%3Ab/other:%25/other:%25", "_lockstep", `${at(1)} old.a:b`);
    await redis.hset("a%3Ab/one:1/two:2", "_lockstep", `${at(1)} public.a:b`);
    await redis.hset("a%3Ab/own:1/own:1", "id", "own");
    await redis.set("a%3Ab/text:1/text:1", "somebody's");
    const listed: (readonly (string | null)[])[] = [];
    let after: string | undefined;
    do {
      const page = await sink.held!.page(table, { limit: 4, ...(after !== undefined && { after }) });
      listed.push(...page.rows.map(({ texts }) => texts));
      after = page.next;
    } while (after !== undefined);
    const expected = ids.slice(1).map(([id, a]) => [id, a, null]);
    expect([...new Set(listed.map(String))].sort()).deep.equal(expected.map(String).sort());
    const keys = [ids[0]!, ids[7]!, ["text", "1"]].map((key) => JSON.stringify(key));
    expect(await sink.held!.find(table, keys)).deep.equal([{ key: keys[1], texts: [...ids[7]!, null] }]);
    const isWhole = [{}, { ttlSeconds: 5 }, { mayBeEmptied: true }].map(
      (options) => open(options).held!.isWhole,
    );
    expect(isWhole).deep.equal([true, false, false]);
  });

  it("leave what is somebody's own under a row's key, and say which row it is", async () => {
    await redis.set("things:2", "string");
    const refused = await open().write(
      things,
      [row(at(1), "1", "a", null), row(at(1), "2", "b", null)],
      lane,
    );
    expect(refused).length(1);
    expect(refused[0]).deep.include({ key: '["2"]', code: "TARGET_REFUSED", about: "WRONGTYPE" });
    expect(await redis.get("things:2")).equal("string");
    expect(await redis.hget("things:1", "a")).equal("a");
  });

  it("that were lost stop the lane, unless the cache may be emptied; a step whose end was lost doesn't", async () => {
    const lost = (sink: Sink, position: Checkpoint["position"] = "5-1") =>
      sink.begin!({ ...checkpoint, position }, lane).then(
        () => false,
        (error: unknown) => isLockstepError(error, "TARGET_LOST_WRITES"),
      );
    const sink = open();
    await sink.begin!({ ...checkpoint, recordsSynced: 0 }, lane);
    await sink.end!(at(5), lane);
    await sink.end!(at(4), lane);
    expect(await lost(sink)).equal(false);
    expect(await lost(sink, "4-9")).equal(false);
    expect(await lost(sink, "6-1")).equal(true);
    await redis.flushdb();
    expect(await lost(sink)).equal(true);
    expect(await lost(open({ mayBeEmptied: true }))).equal(false);
  });

  it("take the lower positions of a lane that began anew, and none of before", async () => {
    const sink = open();
    await sink.write(things, [row(at(900), "1", "before", null), row(at(900), "2", "before", null)], lane);
    await sink.write(things, [gone(at(900), "3")], lane);
    await sink.write(
      things,
      [row(at(5, 1, 1), "1", "since", null), row(at(5, 1, 1), "3", "since", null)],
      lane,
    );
    await sink.write(things, [row(at(901), "1", "late", null), gone(at(901), "3")], lane);
    expect(await redis.hmget("things:1", "a")).deep.equal(["since"]);
    expect(await redis.hmget("things:3", "a")).deep.equal(["since"]);
    await sink.end!(at(900), lane);
    await sink.end!(at(5, 0, 1), lane);
    await sink.begin!({ ...checkpoint, restarts: 1 }, lane);
    // Rows of before go with a TRUNCATE of since.
    await sink.truncate(things, { position: "6-1", version: at(6, 1, 1) }, lane);
    expect((await redis.keys("things:?")).sort()).deep.equal([]);
    expect(at(1, 0, 10) > at(9, 9, 9) && at(1, 0, 1) > at(2 ** 40)).equal(true);
  });
});
