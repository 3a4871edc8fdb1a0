import { eventually, openSide } from "@lockstep/testing";
import { expect } from "chai";
import { Rig } from "./rig/rig.js";

const rows = 100_000;
const ways = [
  {
    source: "mariadb",
    options: { capture: "binlog", foreignKeyActions: "accept" },
    values: `select uuid(), concat('c', seq, '@example.org'), 'by hand' from seq_1_to_${rows}`,
  },
  {
    source: "postgres",
    options: { capture: "wal" },
    values: `select gen_random_uuid(), 'c' || n || '@example.org', 'by hand' from generate_series(1, ${rows}) n`,
  },
] as const;

describe("a transaction of 100,000 rows", () => {
  for (const { source, options, values } of ways)
    it(`written by hand on ${source}, captured by its ${options.capture}: appears in the target at once`, async () => {
      await using rig = await Rig.open(source, { reporting: "postgres" });
      await using app = await rig.openApp(options);
      await using _consumer = await rig.startConsumer();
      await rig.untilRegistered();
      await app.shop.open(5, 5);
      await rig.untilConverged();
      await using target = await openSide(rig.targets["reporting"]!.url);
      await app.dataSource.query(`insert into customers (id, email, name) ${values}`);
      const seen = new Set<number>();
      const arrived = async (): Promise<boolean> => {
        const [row] = await target.query("select count(*) as n from customers where name = 'by hand'");
        seen.add(Number(row!["n"]));
        return seen.has(rows);
      };
      await eventually(arrived, { what: "the rows", timeoutMs: 120_000, intervalMs: 50 });
      expect([...seen].filter((n) => n !== 0)).to.deep.equal([rows]);
      await rig.untilConverged();
    });
});
