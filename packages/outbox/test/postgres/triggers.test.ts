import { expect } from "chai";
import { cellsOf } from "../fixture/database.js";
import { dollarColumns, dollars } from "../fixture/dollars.js";
import { postgres } from "../fixture/postgres.js";
import { openTriggers, type TriggerSource } from "../fixture/triggers.js";

describe("triggers on PostgreSQL", () => {
  let db: TriggerSource;
  const run = (sql: string, parameters?: readonly unknown[]) => db.session.run(sql, parameters);
  beforeEach(async () => {
    db = await openTriggers(postgres);
    await run("create table item (id int primary key, v text)");
  });
  afterEach(() => db.close());

  it("are found missing before they are installed, and in order afterwards", async () => {
    await run("create table other (a int, b text, primary key (b, a))");
    expect(await db.install("item", "other")).to.deep.equal(["missing", "missing"]);
    expect(await db.findings("item", "other")).to.deep.equal([]);
    await run("alter table item disable trigger zz_lockstep_update");
    expect(await db.install("item", "other")).to.deep.equal(["missing"]);
    expect(await db.findings("item", "other")).to.deep.equal([]);
    for (const statement of await db.removal()) await run(statement);
    expect(await db.findings("item", "other")).to.deep.equal(["missing", "missing"]);
    await run("insert into item values (1)");
    expect(await db.changes()).to.deep.equal([]);
  });

  it("refuse what has no key of its own: no primary key, partitions, inheritance, no table at all", async () => {
    await run("create table heap (v text); create table kid () inherits (item)");
    await run("create table year (id int primary key) partition by range (id)");
    await run("create table year_1 partition of year for values from (1) to (2)");
    expect(await db.install("heap", "kid", "item", "year_1", "nothing")).to.deep.equal(
      Array(5).fill("refused"),
    );
  });

  it("statements of one and of many rows, and none for those that touch nothing", async () => {
    await db.install("item");
    await run("insert into item values (1, 'a'), (2, null)");
    await run("update item set v = v || 'b'");
    await run("update item set v = 'x' where id = 9");
    await run("delete from item where id = 1");
    const events = await db.events();
    expect(events.map(({ op, key, image }) => [op, key, image])).to.deep.equal([
      ["insert", '["1"]', '["1","a"]'],
      ["insert", '["2"]', '["2",null]'],
      ["update", '["1"]', '["1","ab"]'],
      ["update", '["2"]', '["2",null]'],
      ["delete", '["1"]', undefined],
    ]);
    expect(events.map(({ endsTransaction }) => endsTransaction)).to.deep.equal([
      false,
      true,
      false,
      true,
      true,
    ]);
  });

  it("what a savepoint or a roll-back takes back leaves no trace", async () => {
    await db.install("item");
    await run(
      "begin; insert into item values (1); savepoint a; insert into item values (2); rollback to a; commit",
    );
    await run("begin; insert into item values (3); rollback");
    expect(await db.changes()).to.deep.equal(['i ["1"]']);
  });

  it("a changed key carries the old one", async () => {
    await db.install("item");
    await run("insert into item values (1, 'a')");
    await run("update item set id = 2");
    await run("update item set id = id, v = 'b'");
    expect(await db.changes()).to.deep.equal(['i ["1"]', 'u ["1"]>["2"]', 'u ["2"]', 'u ["2"]']);
  });

  it("keys of several columns, in the key's order, and only those that change carry the old one", async () => {
    await run(
      "create domain number as int; create table pair (a number, v text, b uuid, primary key (b, a))",
    );
    await db.install("pair");
    const uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    await run(`insert into pair values (1, 'v', '${uuid}'), (2, null, '${uuid}')`);
    await run("update pair set a = 3, b = b where a > 1; update pair set a = a + 7, v = 'w' where v is null");
    const key = (a: number): string => `["${uuid}","${a}"]`;
    expect((await db.changes()).slice(2)).to.deep.equal([
      `u ${key(2)}>${key(3)}`,
      `u ${key(3)}`,
      `u ${key(3)}>${key(10)}`,
      `u ${key(10)}`,
    ]);
  });

  it("keys that are equal to the type and differ in text", async () => {
    await run("create table price (amount numeric primary key)");
    await db.install("price");
    await run("insert into price values (1.0)");
    await run("update price set amount = 1.00");
    expect((await db.changes())[1]).to.equal('u ["1.0"]>["1.00"]');
  });

  it("TRUNCATE, also of tables that it cascades to", async () => {
    await run("create table part (id int primary key, item int references item)");
    await db.install("item", "part");
    await run("insert into item values (1)");
    await run("truncate item cascade");
    expect((await db.events()).map(({ op, table }) => [op, table.name]).slice(1)).to.have.deep.members([
      ["truncate", "item"],
      ["truncate", "part"],
    ]);
  });

  it("INSERT … ON CONFLICT, COPY, writable CTEs and MERGE", async () => {
    await db.install("item");
    await run("insert into item values (1, 'a')");
    await run("insert into item values (1, 'b'), (2, 'c') on conflict (id) do update set v = excluded.v");
    await run("insert into item values (1, 'z') on conflict do nothing");
    await run(
      "with gone as (delete from item where id = 2 returning *) insert into item select 3, v from gone",
    );
    await run("copy item from program 'echo 4,d; echo 5,-' with (format csv, null '-')");
    expect((await db.changes()).slice(1)).to.have.members([
      'i ["2"]',
      'u ["1"]',
      'd ["2"]',
      'i ["3"]',
      'i ["4"]',
      'i ["5"]',
    ]);
    const [version] = await run("select current_setting('server_version_num')::int as n");
    if (Number(version!["n"]) < 150_000) return;
    await run(
      "merge into item t using (values (4, 'm'), (6, 'n')) s (id, v) on t.id = s.id when matched then update set v = s.v when not matched then insert values (s.id, s.v)",
    );
    expect(await db.changes()).to.have.members(['i ["6"]', 'u ["4"]']);
  });

  it("rows that foreign keys change along", async () => {
    await run("create table parent (id int primary key)");
    await run(
      "create table child (id int primary key, a int references parent on delete cascade on update cascade, b int references parent on delete set null)",
    );
    await db.install("parent", "child");
    await run("insert into parent values (1), (2), (3)");
    await run("insert into child values (10, 1, 2), (11, 3, null)");
    await db.events();
    await run("delete from parent where id = 2");
    await run("update parent set id = 7 where id = 1");
    await run("delete from parent where id = 7");
    const events = await db.events();
    expect(events.map(({ table, op, key, image }) => [table.name, op, key, image]).slice(0, 2)).to.deep.equal(
      [
        ["parent", "delete", '["2"]', undefined],
        ["child", "update", '["10"]', '["10","1",null]'],
      ],
    );
    expect(events.map(({ table, op, key }) => `${table.name} ${op} ${key}`).slice(2)).to.have.members([
      'parent update ["7"]',
      'child update ["10"]',
      'parent update ["7"]',
      'child delete ["10"]',
      'parent delete ["7"]',
    ]);
  });

  it("roles without rights on the outbox, whatever their search_path holds", async () => {
    await db.install("item");
    await run("create role clerk_of_triggers nologin").catch(() => undefined);
    await run(
      "grant all on item to clerk_of_triggers; create schema trap; grant all on schema trap to clerk_of_triggers",
    );
    await run("begin; set local role clerk_of_triggers; set local search_path = trap");
    await run("create function trap.nextval(text) returns bigint language sql as 'select -1::bigint'");
    await run("insert into public.item values (1)");
    await run("commit");
    const mine = await run("set role clerk_of_triggers; create temp table mine (id int primary key)").then(
      () =>
        run(
          "create trigger t after insert on mine referencing new table as lockstep_rows for each statement execute function lockstep.capture_" +
            "0".repeat(16),
        ).catch((error: unknown) => error),
    );
    expect(mine).to.be.instanceOf(Error);
    await run("reset role");
    expect(await db.changes()).to.deep.equal(['i ["1"]']);
    await run("drop owned by clerk_of_triggers; drop role clerk_of_triggers");
  });

  it("triggers of the application that write to the table again", async () => {
    await run("create table tree (id int primary key, parent int, path text, gone boolean default false)");
    await run(`create function label() returns trigger language plpgsql as $$ begin
      update tree set path = 'p' || id where id = new.id;
      update tree set path = path || '+' where id = new.parent;
      delete from tree where id = new.id and new.gone;
      return null; end $$`);
    await run("create trigger aaa after insert on tree for each row execute function label()");
    await run("create trigger aab after update of gone on tree for each row execute function label()");
    await run(`create function keep() returns trigger language plpgsql as $$ begin
      insert into tree values (old.id, old.parent, 'kept'); return null; end $$`);
    await run(
      "create trigger aac after delete on tree for each row when (old.path = 'keep') execute function keep()",
    );
    await db.install("tree");
    await run("insert into tree values (1, null), (2, 1), (3, 2), (4, 3)");
    await run("update tree set id = 9, gone = true where id = 4");
    await run("update tree set path = 'keep' where id = 3");
    await run("delete from tree where id = 3");
    const now = await run(
      "select array_to_json(array[id::text, parent::text, path, gone::text])::text as image from tree",
    );
    const mirror = new Map<string, string>();
    for (const { op, key, before, image } of await db.events()) {
      if (before !== undefined) mirror.delete(before);
      if (op === "delete") mirror.delete(key);
      else mirror.set(key, image!);
    }
    expect([...mirror.values()]).to.have.members(now.map((row) => row["image"]));
  });

  it("session_replication_role = replica", async () => {
    await db.install("item");
    await run(
      "begin; set local session_replication_role = replica; insert into item values (1); update item set id = 2; commit",
    );
    expect(await db.changes()).to.deep.equal(['i ["1"]', 'u ["1"]>["2"]', 'u ["2"]']);
  });

  it("traceparent and origin as the transaction sets them", async () => {
    await db.install("item");
    await run(
      "begin; select set_config('lockstep.origin', 'elsewhere', true), set_config('lockstep.traceparent', '00-a-b-01', true)",
    );
    await run("insert into item values (1); commit");
    await run("insert into item values (2)");
    const [first, second] = await db.events();
    expect(first!.transaction).to.include({ origin: "elsewhere", traceparent: "00-a-b-01" });
    expect(second!.transaction).to.not.have.any.keys("origin", "traceparent");
  });

  it("tables and columns named like the dollar quotes around them", async () => {
    await run("create table plain (id int primary key)");
    await run(
      `create table "${dollars}" (id int primary key, ${dollarColumns.map((c) => `"${c}" text`).join(", ")})`,
    );
    await db.install("plain", dollars);
    expect(await db.findings("plain", dollars)).to.deep.equal([]);
    const cells = dollarColumns.map((_, n) => `'${n}'`).join(", ");
    await run(`insert into "${dollars}" values (1, ${cells}), (2, ${cells}), (3, ${cells})`);
    await run(`update "${dollars}" set id = 4, "$fn$" = 'new' where id = 1`);
    await run(`alter table "${dollars}" add column more text`);
    await run(`delete from "${dollars}" where id = 2`);
    await run("insert into plain values (1)");
    expect(await db.changes()).to.deep.equal([
      'i ["1"]',
      'i ["2"]',
      'i ["3"]',
      'u ["1"]>["4"]',
      'u ["4"]',
      'd ["2"]',
      'i ["1"]',
    ]);
    for (const statement of await db.removal()) await run(statement);
    await run(`delete from "${dollars}"`);
    expect(await db.changes()).to.deep.equal([]);
  });

  it("columns named like everything that the function itself names", async () => {
    const names = [
      "op",
      "key",
      "image",
      "before",
      "shape",
      "written",
      "new",
      "old",
      "t",
      "tg_op",
      "f",
      "seq",
      'a"b',
      "ä b",
      "select",
    ];
    const columns = names.map((name) => `"${name.replaceAll('"', '""')}"`);
    await run(
      `create table "Odd ""name" (${columns.map((c) => `${c} text`).join(", ")}, primary key ("new", "a""b"))`,
    );
    await db.install('Odd "name');
    await run(`insert into "Odd ""name" values (${names.map((_, i) => `'${i}'`).join(", ")})`);
    await run(`update "Odd ""name" set "new" = 'k', op = 'o'`);
    await run(`delete from "Odd ""name"`);
    const events = await db.events();
    expect(events.map(({ op, key, before }) => [op, key, before])).to.deep.equal([
      ["insert", '["6","12"]', undefined],
      ["update", '["k","12"]', '["6","12"]'],
      ["update", '["k","12"]', undefined],
      ["delete", '["k","12"]', undefined],
    ]);
    expect(cellsOf(events[0])).to.deep.equal(names.map((_, i) => String(i)));
  });
});
