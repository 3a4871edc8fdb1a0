import type { Engine } from "@lockstep/core";
import { eventually, freshMariaDb, freshPostgres, NodeProcess } from "@lockstep/testing";
import { expect } from "chai";
import { createConnection } from "mysql2/promise";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { openSourceWriters } from "./source-writers.js";
import { joined, openStage } from "./stage.js";

const rows = 150;
const megabyte = 1_000_000;
/** What the relay's process may hold: far less than the rows, which its parent's default would allow. */
const heapMb = 96;
const image = `concat('["', n, '","', repeat('x', ${megabyte}), '"]')`;
const key = `concat('["', n, '"]')`;

/** Writes one transaction of large rows straight into the outbox. */
const write: Readonly<Record<Engine, (url: string) => Promise<void>>> = {
  async postgres(url) {
    const client = new pg.Client(url);
    await client.connect();
    await client.query(`insert into lockstep.outbox (op, fingerprint, key, image)
select 'i', (select fingerprint from lockstep.table_schema), ${key}, ${image} from generate_series(1, ${rows}) n`);
    await client.end();
  },
  async mysql(uri) {
    const connection = await createConnection({ uri });
    await connection.query(`insert into lockstep_outbox (tx, ends_tx, at, op, fingerprint, row_key, image)
select 'large', n = ${rows}, now(), 'i', (select fingerprint from lockstep_table_schema), ${key}, ${image}
  from (select seq as n from seq_1_to_${rows}) numbers`);
    await connection.end();
  },
};

for (const engine of ["postgres", "mysql"] as const) {
  it(`a relay on ${engine} publishes a transaction of 150 rows of a megabyte, though it couldn't hold them`, async () => {
    const database = await (engine === "postgres" ? freshPostgres : freshMariaDb)();
    const stage = await openStage();
    try {
      await (await openSourceWriters(engine, database.url, 1))[Symbol.asyncDispose]();
      await using relay = await NodeProcess.start({
        main: fileURLToPath(new URL("./outbox-relay-process.js", import.meta.url)),
        nodeArgs: [`--max-old-space-size=${heapMb}`],
        args: [engine, database.url, stage.url, stage.source],
      });
      const lane = stage.lane("00000000-0000-4000-8000-000000000001");
      await joined(lane);
      await write[engine](database.url);
      let bytes = 0;
      const all = async (): Promise<boolean> => {
        // They are counted, not kept.
        for (const { events } of lane.entries.splice(0))
          for (const { image } of events) bytes += image!.length;
        return lane.taken.length >= rows || !relay.running;
      };
      await eventually(all, { what: "every row in the stream", timeoutMs: 60_000 });
      await all();
      expect(relay.running, relay.output.join("\n")).to.equal(true);
      expect(lane.taken.length).to.equal(rows);
      expect(bytes).to.be.greaterThan(rows * megabyte);
      expect(await relay.residentMb()).to.be.lessThan(300);
    } finally {
      await stage.close();
      await database.drop();
    }
  });
}
