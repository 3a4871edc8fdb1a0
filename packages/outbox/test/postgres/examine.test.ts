import type { Finding } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { examinePostgres, type PostgresExamineOptions } from "../../src/index.js";
import { noteOf, type Session, type SourceDatabase } from "../fixture/database.js";
import { postgres } from "../fixture/postgres.js";

const items = { namespace: "public", name: "items" };

describe("an examination of a PostgreSQL source", () => {
  let db: SourceDatabase;
  let app: Session;

  beforeEach(async () => {
    db = await postgres.open();
    app = await db.session();
    await app.run("create table items (id int primary key, name text)");
    await app.run("create table loose (name text)");
    await db.writer.describe(app.run, [items]);
  });
  afterEach(() => db.drop());

  const examine = (more: Partial<PostgresExamineOptions> = {}): Promise<readonly Finding[]> =>
    examinePostgres({ connection: db.url, capture: "subscriber", ...more });
  const seen = async (
    more: Partial<PostgresExamineOptions>,
    check: string,
  ): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await examine(more)).filter((f) => f.check === check).map((f) => [f.subject, f.level]),
    );

  const watches =
    "select from pg_stat_activity where application_name = 'lockstep doctor' and query like '%clock_timestamp() -%' and state = 'idle'";

  /** Ends a session: then it tells its statistics at once, and is gone when it has. */
  async function ended(writer: Session): Promise<void> {
    const [{ pid }] = (await writer.run("select pg_backend_pid() as pid")) as [{ pid: number }];
    await writer.close();
    const isGone = async () =>
      (await app.run(`select from pg_stat_activity where pid = ${pid}`)).length === 0;
    await eventually(isGone, { what: "the session to be gone" });
  }

  /** Captured writes, in one row of the outbox, and one that goes past, while the doctor watches. */
  async function writeBoth(): Promise<void> {
    const notes = [1, 3, 4, 5, 6, 7].map((id) => noteOf(items, "insert", id));
    await app.transaction(notes, () =>
      app.run("insert into items select id from unnest('{1,3,4,5,6,7}'::int[]) id"),
    );
    await app.run("insert into items values (2, 'b')");
  }

  it("finds a healthy source healthy, and names what isn't captured", async () => {
    expect((await examine()).filter((f) => f.level === "error")).to.deep.equal([]);
    expect(await seen({}, "capture.tables")).to.deep.equal({ "public.loose": "warning", source: "ok" });
  });

  it("names constraints that are checked at the commit", async () => {
    await app.run("alter table items add constraint one_name unique (name) deferrable initially deferred");
    expect(await seen({}, "capture.deferred")).to.deep.equal({ "public.items": "warning" });
  });

  it("looks for room for the readers of the log", async () => {
    expect(await seen({ capture: "wal" }, "capture.wal")).to.deep.equal({
      max_replication_slots: "ok",
      max_wal_senders: "ok",
    });
  });

  it("names a table whose every write went past capture, by the server's statistics", async () => {
    const writer = await db.session();
    const window = openWindow();
    const watching = seen(window, "capture.coverage");
    await armed(app, watches);
    await writer.run("insert into items select g from generate_series(10, 20) g");
    await ended(writer);
    window.end();
    expect((await watching)["public.items"]).to.equal("error");
  });

  it("names no table for captured writes before the window, whose statistics come late", async () => {
    const writer = await db.session();
    for (const id of [1, 2])
      await writer.transaction([noteOf(items, "insert", id)], () =>
        writer.run(`insert into items values (${id}, 'a')`),
      );
    // What a session has told within a second it doesn't tell again before ten more, or its end.
    const window = openWindow();
    const watching = seen(window, "capture.coverage");
    await armed(app, watches);
    await ended(writer);
    window.end();
    expect(await watching).to.deep.equal({ "public.items": "ok" });
  });

  it("names no table for a transaction that wrote long before the window and commits in it", async () => {
    const writer = await db.session();
    await writer.run("begin; insert into items values (1, 'a')");
    await db.writer.append(writer.run, [noteOf(items, "insert", 1)], {});
    await writer.run("update lockstep.outbox set at = at - interval '1 hour'");
    const window = openWindow();
    const watching = seen(window, "capture.coverage");
    await armed(app, watches);
    await writer.run("commit");
    await ended(writer);
    window.end();
    expect(await watching).to.deep.equal({ "public.items": "ok" });
  });

  it("names a transaction that went past capture among others, by counters of its own, and removes them", async () => {
    const window = openWindow();
    const watching = examine({ ...window, exact: true });
    await armed(app, "select from pg_trigger where tgname = 'lockstep_doctor'");
    await writeBoth();
    await app.transaction([noteOf(items, "update", 1)], () =>
      app.run("update items set name = 'c' where id = 1"),
    );
    await app.run("update items set name = 'd' where id = 999");
    window.end();
    const found = (await watching).filter((f) => f.check === "capture.coverage");
    expect(found).to.have.length(1);
    expect(found[0]).to.include({ level: "error", subject: "public.items" });
    expect(found[0]!.message).to.match(/^1 of 3 transaction/);
    expect(await app.run("select from pg_trigger where tgname = 'lockstep_doctor'")).to.have.length(0);
  });

  it("doesn't call it proven when nothing was written", async () => {
    expect(await seen({ windowMs: 100, exact: true }, "capture.coverage")).to.deep.equal({
      source: "warning",
    });
  });

  it("refuses a window that outlasts the events", async () => {
    const failure = await examine({ windowMs: 60_000 }).catch((error: unknown) => error);
    expect(failure).to.include({ code: "CONFIG_INVALID" });
  });
});

async function armed({ run }: Session, question: string): Promise<void> {
  await eventually(async () => (await run(question)).length > 0, { what: "the doctor to watch" });
}

/** A window that is open until the test ends it. */
function openWindow() {
  let end = (): void => undefined;
  const isOver = new Promise<void>((resolve) => (end = resolve));
  return { windowMs: 1_000, sleep: () => isOver, end };
}
