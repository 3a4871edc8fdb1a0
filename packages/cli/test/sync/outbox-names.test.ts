import type { CaptureKind } from "@lockstep/core";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { type Kind, openSyncRig, type SyncRig, untilEqual } from "./rig.js";

interface Doctor {
  readonly sources: readonly {
    readonly findings: readonly { readonly level: string; readonly message: string }[];
  }[];
}

/** In the suite those where a name that isn't found is only silence. */
const ways: readonly (readonly [Kind, CaptureKind])[] = [
  ["postgres", "wal"],
  ["mariadb", "binlog"],
  ...(process.env["LOCKSTEP_COVERAGE"] === "all"
    ? ([
        ["postgres", "trigger"],
        ["mariadb", "trigger"],
      ] as const)
    : []),
];

for (const [kind, capture] of ways) {
  describe(`an outbox with a name of its own, ${kind}, ${capture}`, () => {
    const outbox = {
      table: "order_changes",
      ...(kind === "postgres" ? { schema: "audit" } : { prefix: "sync_" }),
    };
    const name = kind === "postgres" ? "audit.order_changes" : "order_changes";
    let rig: SyncRig;
    before(async () => {
      rig = await openSyncRig({
        kind,
        capture,
        targets: { mirror: "postgres" },
        tables: ["item"],
        setup: [
          "create table item (id int primary key, title varchar(40))",
          "insert into item values (1, 'old')",
        ],
        outbox,
      });
    });
    after(async () => rig?.[Symbol.asyncDispose]());

    it("is where changes, copied rows and repairs go through, and out of which they go", async () => {
      await rig.source.query("insert into item values (2, 'new'), (3, 'newer')");
      await rig.source.query("update item set title = 'newest' where id = 3");
      expect((await rig.lockstep("sync", "full", "--through-stream")).code).equal(0);
      await untilEqual(rig, "mirror");
      await rig.targets["mirror"]!.query("delete from item where id = 1");
      expect((await rig.lockstep("repair")).code).equal(0);
      expect((await rig.lockstep("verify")).code).equal(0);
      const [row] = await rig.source.query(`select count(*) as n from ${name}`);
      if (capture === "trigger") expect(Number(row!["n"])).least(4);
    });

    it("is nobody's table that isn't captured, and what was captured is found in it", async () => {
      const examining = rig.lockstep("doctor", "--exact", "--seconds", "1", "--json");
      for (let id = 10; id < 30; id++) {
        await rig.source.query(`insert into item values (${id}, 'watched')`);
        await pause(50);
      }
      const { code, out, json } = await examining;
      const wrong = json<Doctor>()
        .sources.flatMap(({ findings }) => findings)
        .filter(({ level, message }) => level === "error" || /not captured/.test(message));
      expect([wrong, code], out.join("\n")).deep.equal([[], 0]);
    });
  });
}
