import {
  type HeldRow,
  type HeldRows,
  mappingOf,
  type RunStatement,
  type TableSchema,
  type TargetMapping,
} from "@lockstep/core";
import { postgresOutboxWriter, postgresReader } from "@lockstep/outbox";
import { type FreshDatabase, freshPostgres } from "@lockstep/testing";
import { expect } from "chai";
import pg from "pg";
import { verify, type VerifyOptions, type VerifyProgress } from "../../src/index.js";

const log = { barrier: async () => "0-0" as const, incarnation: async () => "i" };

/** Nothing is on its way: both tables lie in one database, each in a namespace of its own. */
const quiet = {
  name: "mirror",
  checkpoints: async () => [{ source: "shop", partition: 0, position: "0-0", incarnation: "i" }] as never,
  letters: { list: async () => ({ letters: [] }) } as never,
};

describe("a comparison that was ended half-way", () => {
  let database: FreshDatabase;
  let client: pg.Client;
  let tables: readonly TableSchema[];
  before(async () => {
    database = await freshPostgres();
    client = new pg.Client(database.url);
    await client.connect();
    const run: RunStatement = async (sql, values) =>
      (await client.query<Record<string, unknown>>(sql, values && [...values])).rows ?? [];
    for (const space of ["here", "there"]) {
      await run(`create schema ${space}`);
      for (const name of ["a", "b"]) {
        await run(`create table ${space}.${name} (id int primary key, v text)`);
        await run(`insert into ${space}.${name} select i, 'v' || i from generate_series(1, 100) i`);
      }
    }
    await run("update there.a set v = 'x' where id in (5, 95)");
    await run("delete from there.b where id in (20, 80)");
    await postgresOutboxWriter().ensure(run);
    const named = ["a", "b"].map((name) => ({ namespace: "here", name }));
    tables = await postgresOutboxWriter().describe(run, named);
  });
  after(async () => {
    await client.end();
    await database.drop();
  });

  const compare = async (options: VerifyOptions, map?: TargetMapping) => {
    const reader = postgresReader(database.url, "here");
    const target = {
      ...quiet,
      reader: () => ({ ...postgresReader(database.url, "there"), namespace: "there" }),
    };
    const source = { name: "shop", reader, log, tables };
    const mapping = map && mappingOf(map, { secret: "a secret of thirty-two characters" });
    try {
      return await verify({ source, target, mapping }, { tellEveryMs: 0, ...options });
    } finally {
      await reader.close();
    }
  };

  /** Ends it again and again, after so many calls, and goes on from what was kept. */
  const inPieces = async (sliceRows: number, map?: TargetMapping) => {
    let resume: VerifyProgress | undefined;
    for (let pieces = 1; ; pieces++) {
      let calls = 0;
      const onProgress = (progress: VerifyProgress): void => {
        resume = JSON.parse(JSON.stringify(progress)) as VerifyProgress;
        if (++calls === 3) throw new Error("killed");
      };
      const options = { sliceRows, onProgress, ...(resume && { resume }) };
      const report = await compare(options, map).catch(() => undefined);
      if (report !== undefined) return { report, pieces };
    }
  };

  it("goes on where it was, slice by slice: each row is counted once, each difference is named once", async () => {
    const { report, pieces } = await inPieces(10);
    expect(pieces).greaterThan(4);
    expect(report.tables.map(({ rows }) => rows.source)).deep.equal([100, 100]);
    const [a, b] = report.tables.map(({ differences }) => differences.map(({ key }) => key!.join()));
    expect([a, b]).deep.equal([
      ["5", "95"],
      ["20", "80"],
    ]);
    expect(report).deep.include({ different: 4, unsettled: 0 });
  });

  it("goes on between buckets, where a mask hides the order of keys", async () => {
    // No row is equal: under the target's keys there is none of these.
    const map = { b: false, a: { columns: { id: { hash: "id" }, v: true } } } as const;
    await client.query("create table if not exists there.a2 (id varchar(64) primary key, v text)");
    const { report, pieces } = await inPieces(1, { ...map, a: { ...map.a, to: "a2" } });
    expect(pieces).greaterThan(1);
    expect(report.tables[0]).deep.include({ missing: 100, extra: 0, differing: 0 });
    expect(
      report.tables[0]!.differences.every(({ key, targetKey }) => !key && targetKey?.[0]?.length === 64),
    ).equal(true);
  });

  it("looks only at the rows that a report names, and judges them anew", async () => {
    const only = await compare({});
    await client.query("update there.a set v = 'v5' where id = 5");
    await client.query("update there.b set v = 'x' where id = 1");
    const again = await compare({ only });
    expect(
      again.tables.map(({ table, rows, differing, missing }) => [table, rows.source, differing, missing]),
    ).deep.equal([
      ["here.a", 2, 1, 0],
      ["here.b", 2, 0, 2],
    ]);
  });

  it("tells of a cache what is wrong in it, not what it lacks", async () => {
    const rows = new Map<string, HeldRow>();
    for (const [id, v] of [
      ["1", "v1"],
      ["2", "x"],
      ["999", "v999"],
    ] as const)
      rows.set(JSON.stringify([id]), { key: JSON.stringify([id]), texts: [id, v] });
    const find: HeldRows["find"] = async (_, keys) => keys.flatMap((key) => rows.get(key) ?? []);
    const held = (isWhole: boolean): HeldRows => ({
      isWhole,
      page: async () => ({ rows: [...rows.values()] }),
      find,
    });
    const reader = postgresReader(database.url, "here");
    const source = {
      name: "shop",
      reader,
      log,
      tables: [tables[0]!],
    };
    const [cache, whole] = await Promise.all(
      [false, true].map((isWhole) => verify({ source, target: { ...quiet, held: held(isWhole) } })),
    );
    expect(cache!.tables[0]).deep.include({
      missing: 0,
      differing: 1,
      extra: 1,
      rows: { source: 2, target: 3 },
    });
    expect(whole!.tables[0]).deep.include({ missing: 98, differing: 1, extra: 1 });
    await reader.close();
  });
});
