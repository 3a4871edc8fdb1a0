import { type ChangeLog, isLockstepError, type Logger, type Position, positionOf } from "@lockstep/core";
import { mysqlChangeLog, mysqlOutboxWriter } from "@lockstep/outbox";
import { eventually, type RunningServer, startMariaDb } from "@lockstep/testing";
import { expect } from "chai";
import { begin, type BinlogSource, endOf, openBinlogSource, readAll } from "./binlog-source.js";

interface Said {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

function listeningLogger(): Logger & { readonly said: Said[] } {
  const said: Said[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void said.push({ level, fields: fields as Said["fields"], message });
  return { said, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } as never;
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: unknown) => (isLockstepError(error) ? error.code : String(error)),
  );

/** The server frees a lock a moment after its session has said goodbye. */
const leads = async (log: ChangeLog): Promise<void> => {
  const lead = await eventually(() => log.lead());
  await lead.release();
};

/** What it is refused with; while somebody else still leads it isn't asked. */
const refusalOf = (log: ChangeLog): Promise<string> =>
  eventually(async () => {
    const code = await codeOf(log.lead());
    return code === "none" ? undefined : code;
  });

describe("a server whose binlog is read", () => {
  let server: RunningServer;
  let source: BinlogSource;
  let log: ChangeLog;
  let start: Position;
  let logger: ReturnType<typeof listeningLogger>;

  beforeEach(async () => {
    server = await startMariaDb();
    source = await openBinlogSource(server.url);
    await source.run("create table item (id int primary key, note varchar(100))");
    await source.run("create table other (id int primary key, note text)");
    await source.describe("item");
    logger = listeningLogger();
    log = source.log({ logger });
    start = await begin(log);
  });
  afterEach(async () => {
    await source.close();
    await server[Symbol.asyncDispose]();
  });

  const newestFile = async (): Promise<string> =>
    String((await source.run("show binary logs")).at(-1)!["Log_name"]);
  const rotateAndPurge = async (): Promise<void> => {
    await source.run("flush binary logs");
    await source.run("flush binary logs");
    // The server keeps a file as long as its own recovery may need it.
    await eventually(async () => {
      await source.run(`purge binary logs to '${await newestFile()}'`);
      return (await source.run("show binary logs")).length === 1;
    });
  };
  const stateOf = async (): Promise<string> => (await log.targets())[0]!.state;

  it("is left alone once its log is no longer read", async () => {
    const dumps = async (): Promise<number> =>
      (await source.run("show full processlist")).filter(({ Command }) => String(Command).includes("Dump"))
        .length;
    await source.run("insert into item values (1, 'read')");
    expect(await readAll(log, start)).to.have.length(1);
    expect(await dumps()).to.equal(1);
    await log.close();
    await eventually(async () => (await dumps()) === 0);
  });

  it("that purges what a target needs: the target is given up, aloud, and reading it is refused", async () => {
    await source.run("insert into item values (1, 'lost')");
    await rotateAndPurge();
    await source.run("insert into item values (2, 'kept')");
    expect(await codeOf(readAll(log, start))).to.equal("HISTORY_GONE");
    await log.prune();
    expect(await stateOf()).to.equal("needs-backfill");
    expect(
      logger.said.filter(({ level }) => level === "error").map(({ fields }) => fields["code"]),
    ).to.deep.equal(["HISTORY_GONE"]);
    const again = { id: "00000000-0000-4000-8000-000000000002", name: "u", address: "a", partition: 0 };
    const { position } = await log.register(again);
    await source.run("insert into item values (3, 'seen')");
    const events = await readAll(log, position);
    expect(events.at(-1)!.key).to.equal('["3"]');
    await log.acknowledge([{ id: (await log.targets())[0]!.id, partition: 0, position: endOf(events) }]);
    expect((await log.targets()).map(({ state }) => state)).to.deep.equal(["following", "following"]);
  });

  it("that purges what holds nothing for a target: the target goes on", async () => {
    await source.run("insert into item values (1, 'a')");
    const events = await readAll(log, start);
    await log.acknowledge([{ id: (await log.targets())[0]!.id, partition: 0, position: endOf(events) }]);
    for (let round = 0; round < 3; round++) {
      await source.run(
        `insert into other select seq + ${round} * 1000, repeat('x', 1000) from seq_1_to_1000`,
      );
      await source.run("flush binary logs");
      await readAll(log, endOf(events));
      await log.prune();
    }
    await rotateAndPurge();
    await log.prune();
    expect(await stateOf()).to.equal("following");
    await source.run("insert into item values (2, 'b')");
    expect((await readAll(source.log(), endOf(events))).map(({ key, total }) => [key, total])).to.deep.equal([
      ['["2"]', 2],
    ]);
  });

  it("that will purge soon what a target needs is warned of", async () => {
    await source.run("set global binlog_expire_logs_seconds = 3");
    await source.run("insert into item values (1, 'a')");
    await readAll(log, start);
    await eventually(async () => {
      await log.prune();
      return logger.said.some(({ level, message }) => level === "warn" && message.includes("soon purge"));
    });
  });

  it("whose log was reset is refused: at once, and when its numbers have come as far again", async () => {
    for (let i = 0; i < 3; i++) {
      await source.run(`insert into item values (${i}, 'a')`);
      await source.run("flush binary logs");
    }
    const events = await readAll(log, start);
    await log.prune();
    await source.run("reset master");
    expect(await codeOf(source.log().top())).to.equal("SNAPSHOT_WENT_BACK");
    await source.run("insert into item values (10, 'b')");
    // The same numbers, another second: files are told apart by when they were begun.
    const begun = Date.now();
    await eventually(async () => Date.now() - begun > 1_500);
    for (let i = 0; i < 6; i++) await source.run("flush binary logs");
    const found = await codeOf(readAll(source.log(), endOf(events)));
    expect(found).to.be.oneOf(["SOURCE_REPLACED", "SNAPSHOT_WENT_BACK"]);
  });

  it("is refused with every setting that is wrong, and tables that can't be captured", async () => {
    await source.run("create table plain (id int primary key) engine = MyISAM");
    await source.run(
      "create table child (id int primary key, item int, foreign key (item) references item (id) on delete cascade)",
    );
    await source.run("create table kept (id int primary key) with system versioning");
    await source.describe("plain", "child", "kept");
    await source.run("set global binlog_row_metadata = minimal, global binlog_row_image = noblob");
    const error = (await source
      .log()
      .lead()
      .catch((error: unknown) => error)) as Error;
    expect(isLockstepError(error, "CAPTURE_SOURCE_SETTINGS")).to.equal(true);
    for (const part of [
      "binlog_row_metadata",
      "binlog_row_image",
      `${source.namespace}.plain`,
      `${source.namespace}.child`,
      `${source.namespace}.kept is system-versioned`,
    ]) {
      expect(error.message).to.include(part);
    }
    await source.run("set global binlog_row_metadata = full, global binlog_row_image = full");
    await source.run("drop table plain, kept");
    expect(await refusalOf(source.log())).to.equal("CAPTURE_SOURCE_SETTINGS");
    await leads(source.log({}, "accept"));
  });

  it("is watched while it is read: settings and foreign keys that make the log lack something are found", async () => {
    const watched = source.capture().changeLog();
    const found = async (): Promise<string[]> =>
      (await watched.captureFindings!()).map(({ message }) => message);
    try {
      expect(await found()).to.deep.equal([]);
      await source.run("set global binlog_row_image = minimal");
      expect(String(await found())).to.include("binlog_row_image");
      await source.run("set global binlog_row_image = full");
      await source.run("create table parent (id int primary key)");
      await source.run(
        "alter table item add column parent int, add foreign key (parent) references parent (id) on delete cascade",
      );
      expect(String(await found())).to.include(`${source.namespace}.item has a foreign key`);
    } finally {
      await watched.close();
    }
  });

  it("that was started again, and empties tables in memory by a statement of its own, is read on", async () => {
    await source.run("create table cache (id int primary key) engine = memory");
    await source.run("insert into cache values (1)");
    await source.run("insert into item values (1, 'a')");
    const events = await readAll(log, start);
    await server.restart();
    const { run } = await eventually(() => source.session());
    await run("select * from cache");
    await run("insert into item values (2, 'b')");
    expect((await readAll(source.log(), endOf(events))).map(({ key }) => key)).to.deep.equal(['["2"]']);
  });

  it("is refused while the outbox holds what a target has not applied", async () => {
    await source.run("delete from lockstep_log_mark");
    const writer = mysqlOutboxWriter();
    const note = { table: { namespace: source.namespace, name: "item" }, op: "update", key: ["1"] } as const;
    await source.run("insert into item values (1, 'a')");
    await writer.append(source.run, [note], {});
    await source.run("update lockstep_target set tick = 0, n = 0");
    expect(await refusalOf(log)).to.equal("CONFIG_INVALID");
    const outbox = mysqlChangeLog({ connection: source.url, source: "test" });
    const tick = await outbox.cut();
    expect(await refusalOf(log)).to.equal("CONFIG_INVALID");
    const { id } = (await outbox.targets())[0]!;
    await outbox.acknowledge([{ id, partition: 0, position: positionOf(tick!.tick, tick!.events) }]);
    await outbox.close();
    await leads(log);
    await source.run("insert into item values (2, 'b')");
    expect((await readAll(log, (await log.targets())[0]!.position)).map(({ key }) => key)).to.deep.equal([
      '["2"]',
    ]);
  });

  it("is refused without the rights to read the log", async () => {
    await source.run("create user reader@'127.0.0.1' identified by 'secret'");
    await source.run(`grant all on ${source.namespace}.* to reader@'127.0.0.1'`);
    const url = new URL(source.url);
    url.username = "reader";
    url.password = "secret";
    const poor = source.log({ connection: url.href });
    expect(await refusalOf(poor)).to.equal("CAPTURE_SOURCE_SETTINGS");
    await source.run("grant binlog monitor on *.* to reader@'127.0.0.1'");
    await leads(poor);
    expect(await codeOf(readAll(poor, start))).to.equal("CAPTURE_SOURCE_SETTINGS");
    await source.run("grant replication slave on *.* to reader@'127.0.0.1'");
    expect(await codeOf(readAll(poor, start))).to.equal("none");
  });
});
