import { eventually, openSide } from "@lockstep/testing";
import { expect } from "chai";
import { Rig } from "./rig/rig.js";

const rows = 100_000;

describe("a transaction of 100,000 rows", function () {
  this.timeout(180_000);

  it("written by hand on MariaDB, captured by its binlog: appears in the target at once", async () => {
    await using rig = await Rig.open("mariadb", { reporting: "postgres" });
    await using app = await rig.openApp({ capture: "binlog", foreignKeyActions: "accept" });
    await using _consumer = await rig.startConsumer();
    await rig.untilRegistered();
    await app.shop.open(5, 5);
    await rig.untilConverged();
    await using target = await openSide(rig.targets["reporting"]!.url);
    await app.dataSource.query(
      `insert into customers (id, email, name) select uuid(), concat('c', seq, '@example.org'), 'by hand' from seq_1_to_${rows}`,
    );
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
