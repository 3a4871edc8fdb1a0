import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { openStage, type SentRow, type Stage } from "./stage.js";

/** As in the other property tests: how many times as much as usual. */
const runs = Number(process.env["LOCKSTEP_PROPERTY_RUNS"] ?? 1);
const seconds = Math.min(120, 1.5 * runs);
const rows = 40;

for (const kind of ["postgres", "mariadb"] as const) {
  describe(`an incremental sync over ${kind}, under writers that take their time`, function () {
    this.timeout(180_000 + seconds * 2_000);
    let stage: Stage;
    before(async () => {
      stage = await openStage(kind);
    });
    after(async () => stage[Symbol.asyncDispose]());

    it("has sent the last state of every row when they are done, however late each committed", async () => {
      const time = kind === "postgres" ? "timestamptz" : "timestamp(6)";
      for (const [name, changed] of [
        ["timed", time],
        ["counted", "bigint"],
      ] as const) {
        await stage.source.query(
          `create table ${name} (id int primary key, v int, changed_at ${changed} not null)`,
        );
        await stage.source.query(`create index ${name}_changed on ${name} (changed_at)`);
      }
      await stage.source.query(
        kind === "postgres" ? "create sequence entries" : "create sequence entries nocache",
      );
      const job = await stage.begin({ name: "timed" }, { name: "counted", kind: "number" });
      const until = performance.now() + seconds * 1_000;
      const writers = Array.from({ length: 6 }, (_, n) => write(stage, n, until));
      const sent: SentRow[] = [];
      const seen = new Map<string, string>();
      let passes = 0;
      while (performance.now() < until || passes < 2) {
        sent.push(...(await job.pass()));
        passes++;
      }
      await Promise.all(writers);
      sent.push(...(await job.pass()));
      for (const [, id, v] of sent) seen.set(id!, v!);
      for (const name of ["timed", "counted"]) {
        const expected = await stage.source.query(`select id, v from ${name} order by id`);
        expect(expected.length).to.be.greaterThan(rows / 2);
        for (const row of expected)
          expect(seen.get(String(row["id"])), `${name} ${row["id"]}`).to.equal(String(row["v"]));
      }
    });
  });
}

/** Transactions of some rows, each of a writer's own; some stay open for longer than the overlap, some are taken back. */
async function write(stage: Stage, n: number, until: number): Promise<void> {
  await using session = await stage.session();
  const postgres = session.engine === "postgres";
  const now = postgres ? "now()" : "current_timestamp(6)";
  for (let v = 1; performance.now() < until; v++) {
    await session.query("begin");
    if (Math.random() < 0.3) await pause(Math.random() * 50);
    for (let i = 0; i < 1 + Math.random() * 4; i++) {
      const id = n * rows + Math.floor(Math.random() * rows);
      const upsert = (table: string, key: number, changed: string): Promise<unknown> =>
        session.query(
          `insert into ${table} values (${key}, ${v}, ${changed}) ` +
            (postgres
              ? `on conflict (id) do update set v = excluded.v, changed_at = excluded.changed_at`
              : `on duplicate key update v = values(v), changed_at = values(changed_at)`),
        );
      await upsert("timed", id, now);
      await upsert("counted", 10_000 + id, postgres ? "nextval('entries')" : "nextval(entries)");
    }
    // One writer is slow: its transactions are open while many passes go by.
    await pause(n === 0 ? 1_200 : Math.random() * 40);
    await session.query(Math.random() < 0.1 ? "rollback" : "commit");
  }
}
