import { contractContext, openLane } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { openFixture } from "../fixture.js";
import { row, sourceTable } from "../source-table.js";

describe("pinned settings", () => {
  const context = contractContext(openFixture);

  const oddDefaults = [
    "timezone = 'Asia/Kathmandu'",
    "datestyle = 'SQL, DMY'",
    "intervalstyle = 'sql_standard'",
    "bytea_output = 'escape'",
    "extra_float_digits = -3",
    "standard_conforming_strings = off",
    "xmloption = 'document'",
    "statement_timeout = 0",
    "client_min_messages = 'debug1'",
    "synchronous_commit = off",
    "jit = on",
  ];

  before(async () => {
    for (const setting of oddDefaults) {
      await context.fixture.run(
        `do $$ begin execute format('alter database %I set ${setting.replaceAll("'", "''")}', current_database()); end $$`,
      );
    }
  });

  it("read every text the same whatever the database's defaults are", async () => {
    const schema = sourceTable("odd_defaults", {
      id: ["integer", "integer"],
      at: ["timestamp with time zone", "timestamptz"],
      day: ["date", "date"],
      span: ["interval", "other"],
      bytes: ["bytea", "bytes"],
      ratio: ["double precision", "float"],
      note: ["text", "text"],
    });
    const lane = await openLane(await context.target({ schema: "managed" }), "settings");
    const [table] = await lane.session.tables([schema]);
    const image = [
      "1",
      "2026-01-02 03:04:05.6+00",
      "2026-03-04",
      "-1 days +02:03:00",
      "\\x5c27",
      "0.1",
      "back\\slash 'q'",
    ];
    for (const count of [1, 20, 200]) {
      const rows = Array.from({ length: count }, (_, n) => row([String(n), ...image.slice(1)]));
      await lane.step((transaction) => transaction.upsert(table!, rows));
      const read = await context.fixture.read(
        `select at at time zone 'UTC', day, span, encode(bytes, 'hex'), ratio = 0.1::float8, note from odd_defaults where id = ${count - 1}`,
      );
      expect(read).deep.equal([
        ["2026-01-02 03:04:05.6", "2026-03-04", "-1 days +02:03:00", "5c27", "t", "back\\slash 'q'"],
      ]);
    }
    await lane.close();
  });

  it("bound statements, locks and idle transactions, keep commits durable, and name the session", async () => {
    const lane = await openLane(await context.target({ statementTimeoutMs: 9_000 }), "bounds", 4);
    await context.fixture.run("create table settings_seen (name text primary key, value text)");
    await context.fixture.run(
      `create function see() returns trigger language plpgsql as $$ begin
         new.value := current_setting(new.name); return new; end $$;
       create trigger see before insert on settings_seen for each row execute function see()`,
    );
    const [table] = await lane.session.tables([
      sourceTable("settings_seen", { name: ["text", "text"], value: ["text", "text"] }),
    ]);
    const expected: Readonly<Record<string, string>> = {
      application_name: "lockstep lane bounds/4",
      idle_in_transaction_session_timeout: "18s",
      jit: "off",
      lock_timeout: "3s",
      statement_timeout: "9s",
      synchronous_commit: "local",
    };
    const rows = Object.keys(expected).map((name) => row([name, null]));
    await lane.step((transaction) => transaction.upsert(table!, rows));
    const seen = await context.fixture.read("select name, value from settings_seen");
    expect(Object.fromEntries(seen)).deep.equal(expected);
    await lane.close();
  });
});
