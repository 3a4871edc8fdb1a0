import { expect } from "chai";
import { postgres } from "../fixture/postgres.js";
import { openTriggers, type TriggerSource } from "../fixture/triggers.js";

/** Takes the name of everything that a trigger function names: whoever finds one of these before pg_catalog's fails. */
const trap = `do $$ declare names text; made record; begin
create schema trap;
grant usage on schema trap to public;
select string_agg(p.prosrc, ' ') into names from pg_proc p where p.proname ~ '^capture_[0-9a-f]{16}$';
for made in select o.oprname, l.typname as l, r.typname as r, t.typname as result from pg_operator o
    join pg_type l on l.oid = o.oprleft join pg_type r on r.oid = o.oprright join pg_type t on t.oid = o.oprresult
   where o.oprnamespace = 'pg_catalog'::regnamespace and strpos(names, o.oprname) > 0 and l.typtype = 'b' and r.typtype = 'b' loop
  execute format('create function trap.sprung(pg_catalog.%1$I, pg_catalog.%2$I) returns pg_catalog.%3$I language plpgsql as ''begin raise exception ''''trapped %4$s''''; end''',
    made.l, made.r, made.result, replace(made.oprname, '%', '%%%%'));
  execute format('create operator trap.%s (function = trap.sprung, leftarg = pg_catalog.%I, rightarg = pg_catalog.%I)', made.oprname, made.l, made.r);
  execute format('alter function trap.sprung(pg_catalog.%1$I, pg_catalog.%2$I) rename to %3$I', made.l, made.r, 'o' || md5(made::text));
end loop;
for made in select p.proname, pg_get_function_identity_arguments(p.oid) as arguments, pg_get_function_result(p.oid) as result from pg_proc p
   where p.pronamespace = 'pg_catalog'::regnamespace and names ~ ('\\m' || p.proname || '\\M') and p.prokind in ('f', 'a')
     and p.provariadic = 0 and p.prorettype <> all ('{internal,cstring,trigger}'::regtype[]) and not 'internal'::regtype = any (p.proargtypes::oid[]) and not p.proretset loop
  begin
    execute format('create function trap.%I(%s) returns %s language plpgsql as ''begin raise exception ''''trapped %s''''; end''',
      made.proname, made.arguments, made.result, made.proname);
  exception when feature_not_supported or datatype_mismatch or invalid_function_definition or syntax_error then null; end;
end loop;
create domain trap.text as pg_catalog.text check (value is null);
create domain trap.name as pg_catalog.text check (value is null);
create domain trap.oid as pg_catalog.int8 check (value is null);
create domain trap."char" as pg_catalog.text check (value is null);
end $$`;

describe("triggers of PostgreSQL and the session that fires them", () => {
  let db: TriggerSource;
  const run = (sql: string, parameters?: readonly unknown[]) => db.session.run(sql, parameters);
  beforeEach(async () => {
    db = await openTriggers(postgres);
    await run("create table item (id int primary key, v text, at timestamptz default '2026-07-04 12:00+02')");
    await run("create table named (id text primary key, v interval default '1 day')");
    await db.install("item", "named");
  });
  afterEach(() => db.close());

  const settings = async (): Promise<unknown> =>
    (await run("select pg_catalog.json_object_agg(name, setting) as all from pg_catalog.pg_settings"))[0]![
      "all"
    ];

  it("find nothing but what they mean, whatever stands before pg_catalog in its search_path", async () => {
    await run(trap);
    const other = await db.source.session();
    await other.run(
      "set search_path = trap, pg_catalog; set timezone = 'Asia/Kathmandu'; set datestyle = 'SQL'",
    );
    for (const sql of [
      "select 1 = 1",
      "select 'a' || 'b'",
      "select current_setting('port')",
      "select 'a'::text",
    ]) {
      expect(await other.run(sql).catch((error: unknown) => error), sql).to.be.instanceOf(Error);
    }
    // The same in a session that has nothing to pin for a plain write: before pg_catalog are its temporary types, beside it what suits arguments better.
    const plain = await db.source.session();
    await plain.run("set timezone = 'UTC'");
    await plain.run("create domain pg_temp.text as pg_catalog.text check (value is null)");
    await plain.run(
      `create function public.array_to_json(pg_catalog.text[]) returns pg_catalog.json language plpgsql as 'begin raise exception ''trapped''; end'`,
    );
    expect(
      await plain.run("select array_to_json(array[1::pg_catalog.text])").catch((e: unknown) => e),
    ).to.be.instanceOf(Error);
    for (const session of [other, plain]) {
      for (const [table, v] of [
        ["item", "v"],
        ["named", "1 day"],
      ] as const) {
        await session.run(`insert into public.${table} (id) values ('1')`);
        await session.run(`insert into public.${table} (id) values ('2'), ('3'), ('4'), ('5'), ('6'), ('7')`);
        await session.run(`update public.${table} set v = '${v}'`);
        await session.run(
          `update public.${table} set id = '8', v = '${v}' where id operator(pg_catalog.=) '7'`,
        );
        await session.run(`delete from public.${table} where id operator(pg_catalog.=) '1'`);
        await session.run(`delete from public.${table}; truncate public.${table}`);
      }
    }
    await run("alter table item add column w text default 'w'");
    for (const session of [other, plain])
      await session.run(
        "insert into public.item (id, v) values (pg_catalog.length(pg_catalog.current_setting('TimeZone')), 'w')",
      );
    const events = await db.events();
    expect(
      events
        .filter(({ table }) => table.name === "item")
        .slice(-2)
        .map(({ image }) => image),
    ).to.deep.equal(['["14","w","2026-07-04 10:00:00+00","w"]', '["3","w","2026-07-04 10:00:00+00","w"]']);
    const half = (events.length - 2) / 2;
    const said = events.slice(0, -2).map(({ op, key, before, image }) => [op, key, before, image]);
    expect(said.slice(0, half)).to.deep.equal(said.slice(half));
    expect(said[0]).to.deep.equal(["insert", '["1"]', undefined, '["1",null,"2026-07-04 10:00:00+00"]']);
  });

  it("leave all its settings as they were, of the session and of the transaction", async () => {
    await run("set timezone = 'Europe/Berlin'; set datestyle = 'SQL, DMY'; set row_security = on");
    await run("begin; set local timezone = 'Asia/Tokyo'; set intervalstyle = 'iso_8601'");
    const before = await settings();
    await run("insert into item values (1), (2); insert into named values (1)");
    await run("insert into item select n from generate_series(10, 30) n");
    await run("update item set id = 3 where id = 1; update item set v = 'x'; delete from item where id = 0");
    await run("truncate named");
    expect(await settings()).to.deep.equal(before);
    await run("commit");
    expect(await run("show timezone")).to.deep.equal([{ TimeZone: "Europe/Berlin" }]);
    expect(await run("show intervalstyle")).to.deep.equal([{ IntervalStyle: "iso_8601" }]);
    const committed = await settings();
    await run("insert into item values (1)");
    expect(await settings()).to.deep.equal(committed);
    const images = (await db.events()).flatMap(({ table, image }) => (table.name === "item" && image) || []);
    expect(new Set(images.map((image) => image.slice(-25)))).to.deep.equal(
      new Set(['"2026-07-04 10:00:00+00"]']),
    );
  });

  it("know their table when it is moved or its schema renamed, in sessions that keep their plans", async () => {
    const other = await db.source.session();
    for (let n = 0; n < 6; n++) await other.run(`insert into public.item (id) values (${n})`);
    await run("create schema shop; alter table item set schema shop");
    await other.run("update shop.item set v = 'a' where id = 1");
    await run("alter schema shop rename to store");
    await other.run("update store.item set v = 'b' where id = 1");
    await run("alter table store.item rename to thing; create table store.item (id int primary key, v text)");
    await other.run("update store.thing set v = 'c' where id = 1");
    const events = (await db.events()).slice(-3);
    expect(events.map(({ table, image }) => [table.namespace, table.name, image?.slice(0, 8)])).to.deep.equal(
      [
        ["shop", "item", '["1","a"'],
        ["store", "item", '["1","b"'],
        ["store", "thing", '["1","c"'],
      ],
    );
  });
});
