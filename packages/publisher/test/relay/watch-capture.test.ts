import { type CaptureKind, type Logger, silentLogger } from "@lockstep/core";
import { eventually, freshMariaDb, freshPostgres } from "@lockstep/testing";
import { expect } from "chai";
import {
  type CaptureSource,
  captureOf,
  installAtSource,
  outboxWriterOf,
  runAtSource,
  sourceOfUrl,
} from "../../src/capture/index.js";
import type { Relay } from "../../src/relay/index.js";
import { openStage, type Stage } from "./stage.js";

const ways = [
  { kind: "trigger", open: freshMariaDb, namespace: undefined },
  { kind: "binlog", open: freshMariaDb, namespace: undefined },
  { kind: "trigger", open: freshPostgres, namespace: "public" },
  { kind: "wal", open: freshPostgres, namespace: "public" },
] as const;

/** What comes apart, and what is said of it. */
const faults: Record<string, { readonly fault: string; readonly says: string }> = {
  "trigger mysql": { fault: "alter table item add column more int", says: "columns that were added" },
  "binlog mysql": { fault: "alter table line add column more int", says: "columns that were added" },
  "trigger postgres": { fault: "alter table item disable trigger all", says: "missing, disabled" },
  "wal postgres": { fault: "", says: "not published" },
};

describe("a relay whose capture comes apart", () => {
  let stage: Stage;
  const ends: (() => Promise<unknown>)[] = [];
  beforeEach(async () => void (stage = await openStage()));
  afterEach(async () => {
    await stage.close();
    for (const end of ends.splice(0)) await end();
  });

  const lackingOf = (relay: Relay): readonly string[] => {
    const status = relay.status();
    return (status.phase === "leading" && status.lacking?.map(({ message }) => message)) || [];
  };

  for (const { kind, open, namespace: given } of ways) {
    const engine = open === freshMariaDb ? "mysql" : "postgres";
    it(`notices while it runs, says so aloud, and when all is well again: ${kind} on ${engine}`, async () => {
      const { url, drop } = await open();
      ends.push(drop);
      const said: string[] = [];
      const logger: Logger = {
        ...silentLogger,
        error: (fields: object) => void said.push(JSON.stringify(fields)),
      };
      const source: CaptureSource = sourceOfUrl(url, {
        name: "test",
        outbox: {},
        logger,
        foreignKeyActions: "capture",
      });
      const namespace = given ?? new URL(url).pathname.slice(1);
      const capture = captureOf(kind as CaptureKind, source);
      const tables = ["item", "line"].map((name) => ({ namespace, name }));
      await runAtSource(source, async (run) => {
        await outboxWriterOf(source).ensure(run);
        // Described once, and left out: no fault.
        await run("create table other (id int primary key)");
        await run("create table item (id int primary key)");
        await run(
          "create table line (id int primary key, item int, foreign key (item) references item (id) on delete cascade)",
        );
        await outboxWriterOf(source).describe(run, tables);
        if (kind !== "binlog") await outboxWriterOf(source).describe(run, [{ namespace, name: "other" }]);
        expect(await installAtSource(capture, run, tables)).to.deep.equal([]);
      });
      const log = capture.changeLog();
      ends.push(() => log.close());
      let looked = 0;
      const counted = {
        ...log,
        captureFindings: () => log.captureFindings!().finally(() => looked++),
      };
      const relay = stage.relay({ log: counted, logger, limits: { captureCheckMs: 50 } });
      await eventually(async () => looked > 0);
      expect(lackingOf(relay)).to.deep.equal([]);
      const { fault, says } = faults[`${kind} ${engine}`]!;
      await runAtSource(source, async (run) => {
        const [publication] =
          kind === "wal"
            ? await run("select pubname::text as name from pg_publication_tables where tablename = 'item'")
            : [];
        await run(fault || `alter publication "${String(publication!["name"])}" drop table item`);
      });
      await eventually(async () => lackingOf(relay).some((message) => message.includes(says)));
      expect(said.some((line) => line.includes("CAPTURE_INCOMPLETE") && line.includes(says))).to.equal(true);
      await eventually(async () => {
        const report = await stage.redis.get(stage.keys.relay);
        return report?.includes("captureFindings") === true;
      });
      await runAtSource(source, (run) => installAtSource(capture, run, tables));
      await eventually(async () => lackingOf(relay).length === 0);
    });
  }
});
