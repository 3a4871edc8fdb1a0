import { isLockstepError, type ChangeLog, type LoggedEvent, type Position, positionOf } from "@lockstep/core";
import { expect } from "chai";
import fc from "fast-check";
import { postgresTriggers } from "../../src/index.js";
import { cutAll, noteOf, readAll, type Session, type SourceDatabase } from "../fixture/database.js";
import { postgres } from "../fixture/postgres.js";

/** Texts that would break lines, or what separates key and image, if the database didn't write them otherwise. */
const awkward = [
  ...Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)),
  "a\tb\nc\r\n",
  "\\t\\n\"'",
  "\u007f\u0085\u2028\u2029",
  "üñ🙂\u{10ffff}",
  "",
];

const text = fc
  .tuple(
    fc.array(fc.constantFrom(...awkward), { minLength: 1, maxLength: 4 }),
    fc.constantFrom(1, 1, 1, 30, 1_000),
  )
  .map(([parts, times]) => parts.join("").repeat(times));
const ids = fc.tuple(fc.nat(60), fc.constantFrom(0, 2, 50)).map(([from, more]) => [from, from + more]);
/** Changes of the table `T`. */
const statement = fc.tuple(
  fc.constantFrom(
    "insert into T select n, ($3::text[])[1 + n % 5] from generate_series($1::int, $2::int) n on conflict do nothing",
    "update T set v = ($3::text[])[1 + id % 5] where id between $1::int and $2::int",
    "delete from T where id between $1::int and $2::int and $3::text[] is not null",
  ),
  ids,
  fc.array(text, { minLength: 5, maxLength: 5 }),
);

/** What a table's events say, and where its transactions end. */
function changesOf(events: readonly LoggedEvent[], name: string): unknown[] {
  const own = events.filter(({ table }) => table.name === name);
  return own.map(({ op, key, image, before, endsTransaction }) => [op, key, image, before, endsTransaction]);
}

function expectPlaces(events: readonly LoggedEvent[]): void {
  for (const [i, event] of events.entries()) {
    const [before, next] = [events[i - 1], events[i + 1]];
    expect(event.ordinal).to.equal(before?.tick === event.tick ? before.ordinal + 1 : 1);
    expect(event.total).to.equal(before === undefined ? event.total : before.total + 1);
    expect(event.endsTick).to.equal(next?.tick !== event.tick);
  }
}

/** `packed` is captured by its statements, `single`, a partitioned table, row by row: that is the oracle. */
describe("several changes in a row of the outbox", () => {
  let db: SourceDatabase;
  let app: Session;
  let log: ChangeLog;
  let at: Position = "0-0";
  let room: number;
  before(async () => {
    db = await postgres.open();
    app = await db.session();
    log = db.log({ graceMs: 0 });
    await app.run("create table packed (id bigint primary key, v text)");
    await app.run("create table single (id bigint primary key, v text) partition by range (id)");
    await app.run("create table every partition of single default");
    const tables = ["packed", "single"].map((name) => ({ namespace: "public", name }));
    for (const statement of (await postgresTriggers().plan(app.run, tables)).statements) {
      await app.run(statement);
    }
    [{ room }] = (await app.run("select lockstep.pack_bytes() as room")) as [{ room: number }];
  });
  after(() => db.drop());
  const empty = async (): Promise<void> => {
    await app.run("truncate packed; truncate single");
    await cutAll(log);
    at = await log.top();
    await app.run("delete from lockstep.outbox");
  };
  beforeEach(empty);

  const rows = async (): Promise<Record<string, unknown>[]> =>
    [...(await app.run("select op::text, key, octet_length(image) as bytes, fingerprint from lockstep.outbox order by seq"))]; // prettier-ignore
  const events = async (pageEvents?: number): Promise<LoggedEvent[]> => {
    await cutAll(log);
    return readAll(log, at, pageEvents);
  };
  const insert = (ids: string, v: string): Promise<unknown> =>
    app.run(`insert into packed select n, ${v} from generate_series(${ids}) n`);

  it("are what rows of their own would be, at the same places, whatever is written", async () => {
    const transactions = fc.array(fc.array(statement, { minLength: 1, maxLength: 4 }), { maxLength: 8 });
    let packs = 0;
    await fc.assert(
      fc.asyncProperty(transactions, fc.nat(), async (written, place) => {
        await empty();
        for (const statements of written) {
          for (const table of ["packed", "single"]) {
            await app.run("begin");
            for (const [sql, range, texts] of statements)
              await app.run(sql.replace("T", table), [...range, texts]);
            await app.run("commit");
          }
          if (statements.length === 1) await log.cut();
        }
        const all = await events();
        expect(changesOf(all, "packed")).to.deep.equal(changesOf(all, "single"));
        expectPlaces(all);
        for (const pageEvents of [1, 40]) expect(await events(pageEvents)).to.deep.equal(all);
        // Behind any event, in the middle of a row or not: what follows it.
        const n = place % Math.max(1, all.length);
        if (all.length > 0) {
          const after = positionOf(all[n]!.tick, all[n]!.ordinal);
          expect(await readAll(log, after, 20)).to.deep.equal(all.slice(n + 1));
        }
        for (const { op, bytes } of await rows()) {
          if (op !== "p") continue;
          packs++;
          expect(bytes).to.be.at.most(Math.max(room, 8_000));
        }
      }),
      { numRuns: 25 },
    );
    expect(packs).to.be.greaterThan(50);
  });

  it("are all in one row where they have room in it, however large one of them is", async () => {
    const many = Math.floor(room / 300);
    await insert(`1, ${many}`, "repeat('x', case n when 7 then 1500 else 200 end)");
    await app.run("update packed set v = v || 'y'");
    await app.run("delete from packed");
    const row = { op: "p", key: String(many) };
    expect((await rows()).map(({ op, key }) => ({ op, key }))).to.deep.equal([row, row, row]);
    const all = await events();
    const ids = Array.from({ length: many }, (_, i) => `["${i + 1}"]`);
    expect(all.map(({ key }) => key)).to.deep.equal([...ids, ...ids, ...ids]);
    expect(all.at(many + 6)!.image).to.equal(`["7","${"x".repeat(1500)}y"]`);
    expect(all.at(-1)).to.not.have.property("image");
  });

  it("are packed as far as there is room, and what is large stays alone", async () => {
    await insert("1, 210", "repeat('y', case when n % 80 = 0 then 5000 else 200 end)");
    const kinds = (await rows()).map(({ op, key }) => (op === "p" ? Number(key) : key));
    expect(kinds.filter((kind) => typeof kind === "string")).to.deep.equal(['["80"]', '["160"]']);
    expect(kinds.length).to.be.lessThan(16);
    expect(kinds.reduce((sum: number, kind) => sum + (typeof kind === "number" ? kind : 1), 0)).to.equal(210);
    expect((await events()).map(({ key }) => key)).to.deep.equal(
      Array.from({ length: 210 }, (_, i) => `["${i + 1}"]`),
    );
  });

  it("are compressed where the server can, as a page has room for few that aren't", async () => {
    const [{ can }] = (await app.run(
      "select exists (select from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)) as can",
    )) as [{ can: boolean }];
    expect(room).to.equal(can ? 32_768 : 6_600);
    await insert("1, 100", "repeat(md5(n::text), 7)");
    const [{ stored }] = (await app.run(
      "select max(pg_column_size(image)) as stored from lockstep.outbox",
    )) as [{ stored: number }];
    expect(stored).to.be.lessThan(8_160);
  });

  it("are no more than one where a statement changes one row", async () => {
    await insert("1, 1", "'a'");
    await app.run("update packed set v = 'b'");
    await app.run("delete from packed");
    expect((await rows()).map(({ op }) => op)).to.deep.equal(["i", "u", "d"]);
  });

  it("count for pruning and for the backlog as many as they are", async () => {
    const target = { id: "00000000-0000-4000-8000-00000000000a", name: "ann", address: "a/b", partition: 0 };
    await log.register(target);
    await insert("1, 100", "'a'");
    expect(await log.cut()).to.include({ events: 100 });
    const top = await log.top();
    expect((await log.backlog()).events).to.equal(100);
    const half = positionOf(BigInt(top.split("-")[0]!), 50);
    await log.acknowledge([{ id: target.id, partition: 0, position: half }]);
    expect((await log.backlog()).events).to.equal(50);
    await log.prune();
    expect((await rows()).length).to.be.greaterThan(0);
    await log.acknowledge([{ id: target.id, partition: 0, position: top }]);
    expect(await log.prune()).to.be.at.least(100);
    expect(await rows()).to.deep.equal([]);
    await log.removeTarget("ann");
  });

  it("are missed where a row that packs is gone, or one of its lines", async () => {
    for (const damage of [
      "delete from lockstep.outbox where seq = (select max(seq) from lockstep.outbox)",
      "update lockstep.outbox set image = substr(image, strpos(image, chr(10)) + 1) where op = 'p'",
    ]) {
      await insert("1, 100", "'a'");
      await app.run("delete from packed");
      await log.cut();
      await app.run(damage);
      const failure = await readAll(log, at).catch((error: unknown) => error);
      expect(isLockstepError(failure, "HISTORY_GONE"), String(failure)).to.equal(true);
      at = await log.top();
    }
  });

  it("are looked into where it is asked whether the application's processes capture what triggers do", async () => {
    const table = { namespace: "public", name: "packed" };
    const unseen = () => db.writer.handOver.seenByTriggersAlone(app.run, 60_000);
    await db.writer.describe(app.run, [table]);
    await app.run("begin");
    await insert("1, 20", "'a'");
    const notes = Array.from({ length: 20 }, (_, i) => noteOf(table, "insert", i + 1));
    await db.writer.append(app.run, notes, {});
    await app.run("commit");
    expect((await rows()).map(({ op, key }) => [op, key])).to.deep.equal([
      ["p", "20"],
      ["p", "20"],
    ]);
    expect(await unseen()).to.deep.equal([]);
    await app.run("update packed set v = 'b'");
    expect(await unseen()).to.deep.equal(["public.packed"]);
    await cutAll(log);
  });

  it("are not taken for something else by a relay that doesn't know them", async () => {
    await insert("1, 100", "'a'");
    const [known] = await app.run(
      "select count(*)::int as n from lockstep.outbox o join lockstep.table_schema k using (fingerprint) where o.op = 'p'",
    );
    expect(known!["n"]).to.equal(0);
  });
});
