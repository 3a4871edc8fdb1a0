import type { CaptureKind } from "@lockstep/core";
import { expect } from "chai";
import { type Kind, openSyncRig, type SyncRig, untilEqual } from "./rig.js";

interface Result {
  readonly job: string;
  readonly state: string;
  readonly rows: number;
  readonly removed: number;
}

const setup = [
  "create table customer (id int primary key, email varchar(60) unique, note text)",
  "create table purchase (id int primary key, customer int not null, amount decimal(12,2), foreign key (customer) references customer (id))",
  "create table line (purchase int, n int, what varchar(40), primary key (purchase, n))",
];
const tables = ["purchase", "line", "customer"];

function rowsOf(count: number): string[] {
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  const insert = (table: string, row: (n: number) => string): string =>
    `insert into ${table} values ${numbers.map(row).join(", ")}`;
  return [
    insert("customer", (n) => `(${n}, 'c${n}@x', ${n % 3 === 0 ? "null" : `'note ${n}'`})`),
    insert("purchase", (n) => `(${n}, ${n}, ${n}.25)`),
    insert("line", (n) => `(${n % 7}, ${n}, 'thing ${n}')`),
  ];
}

interface Way {
  readonly kind: Kind;
  readonly capture: CaptureKind;
  readonly target: Kind;
  readonly partitions?: number;
  /** The targets' own tables, with foreign keys. */
  readonly isExternal?: true;
}

const ways: readonly Way[] = [
  { kind: "postgres", capture: "trigger", target: "postgres", isExternal: true },
  { kind: "postgres", capture: "wal", target: "mariadb" },
  { kind: "mariadb", capture: "trigger", target: "postgres", partitions: 2 },
  { kind: "mariadb", capture: "binlog", target: "mariadb" },
];

for (const { kind, capture, target, partitions = 1, isExternal } of ways) {
  describe(`a full sync of ${kind} by ${capture} to ${target}, ${partitions} partition(s)`, () => {
    let rig: SyncRig;
    before(async () => {
      const targets = { mirror: target, other: "postgres" } as const;
      const tablesOfTargets = isExternal ? { external: setup } : {};
      rig = await openSyncRig({
        kind,
        capture,
        targets,
        tables,
        partitions,
        setup: [...setup, ...rowsOf(3_000)],
        ...tablesOfTargets,
      });
    });
    after(async () => rig?.[Symbol.asyncDispose]());

    it("copies what is older than the capture, while it changes, to one target and leaves the other alone", async () => {
      const app = await rig.session();
      let isOver = false;
      const writes = (async () => {
        for (let n = 1; !isOver; n++) {
          await app.query(`update customer set note = 'changed ${n}' where id = ${(n * 37) % 3_000}`);
          await app.query(`insert into customer values (${10_000 + n}, 'n${n}@x', 'new')`);
          if (n % 5 === 0) await app.query(`delete from line where n = ${n}`);
          if (n % 7 === 0) await app.query(`update line set purchase = purchase + 10 where n = ${3_000 - n}`);
        }
      })();
      const said = await rig.lockstep("sync", "full", "--target", "mirror", "--json");
      isOver = true;
      await writes;
      expect(said.code, said.error).to.equal(0);
      expect(said.json<Result>()).to.include({ state: "done" });
      // All but the lines that may be deleted before they are copied.
      expect(said.json<Result>().rows).to.be.at.least(8_400);
      // Nobody writes to it: it was empty when the job began, and went past the stream.
      const job = kind === "postgres" ? "lockstep.job" : "lockstep_job";
      const [row] = await rig.source.query(`select progress from ${job} where kind = 'full'`);
      const purchases = JSON.parse(String(row!["progress"])).tables.filter(
        ({ table }: { readonly table: { readonly name: string } }) => table.name === "purchase",
      );
      expect(purchases[0]).to.include({ phase: "done", noExtra: true });
      expect(purchases.reduce((sum: number, { rows }: { readonly rows: number }) => sum + rows, 0)).to.equal(
        3_000,
      );
      await untilEqual(rig, "mirror");
      const other = await rig.compare("other");
      expect(other.missing, "rows of the other target").to.be.greaterThan(2_000);
    });

    it("removes rows that the source doesn't have, and says that the target is seeded", async () => {
      const { mirror } = rig.targets;
      await mirror!.query("insert into customer values (0, 'extra@x', null), (5000, 'more@x', 'extra')");
      await mirror!.query("insert into line values (3, 99999, 'extra')");
      const kept = await rig.lockstep(
        "sync",
        "full",
        "--target",
        "mirror",
        "--keep-extra",
        "--entity",
        "customer",
      );
      expect(kept.code, kept.error).to.equal(0);
      expect((await rig.compare("mirror")).extra).to.equal(3);
      const said = await rig.lockstep("sync", "full", "--target", "mirror", "--json");
      expect(said.json<Result>()).to.deep.include({ state: "done", removed: 3 });
      await untilEqual(rig, "mirror");
      const checkpoint = target === "postgres" ? "lockstep.checkpoint" : "lockstep_checkpoint";
      const [row] = await mirror!.query(`select seeded from ${checkpoint}`);
      expect(Boolean(row!["seeded"])).to.equal(true);
    });

    if (partitions > 1) {
      it("waits for no lane that isn't registered: its rows would never reach the target", async () => {
        const registry = kind === "postgres" ? "lockstep.target" : "lockstep_target";
        await rig.source.query(
          `delete from ${registry} where name = 'mirror' and ${kind === "postgres" ? "partition" : "`partition`"} = 1`,
        );
        const said = await rig.lockstep("sync", "full", "--target", "mirror");
        expect(said.error).to.match(/TARGET_NOT_FOLLOWING/);
      });
    }
  });
}
