import type { CaptureKind } from "@lockstep/core";
import type { VerifyReport } from "@lockstep/sync";
import { eventually, openSide } from "@lockstep/testing";
import { expect } from "chai";
import { plant, type Planted, type QuietRows } from "../src/demo/accidents.js";
import { runLockstep } from "../src/demo/lockstep-command.js";
import { runLoad } from "../src/index.js";
import { type Kind, Rig, type RigApp } from "./rig/rig.js";

interface Said {
  readonly reports: readonly VerifyReport[];
  readonly different: number;
}

/** The barrier of each kind of log has tests of its own: `LOCKSTEP_COVERAGE=all` goes all ways. */
const ways: readonly (readonly [Kind, CaptureKind])[] = [
  ["postgres", "subscriber"],
  ["mariadb", "binlog"],
  ...(process.env["LOCKSTEP_COVERAGE"] === "all"
    ? ([
        ["mariadb", "subscriber"],
        ["postgres", "wal"],
      ] as const)
    : []),
];

/** Customers and products of which the shop's load takes no notice. */
async function quietRows({ shop, dataSource, entities }: RigApp, rows: number): Promise<QuietRows> {
  await shop.open(rows, rows);
  const customers = await dataSource.getRepository(entities.customer).find({ select: { id: true } });
  const products = await dataSource.getRepository(entities.product).find({ select: { id: true } });
  await shop.open(30, 20);
  return { customers: customers.map(({ id }) => id), products: products.map(({ id }) => id) };
}

function told({ reports }: Said, target: string): string[] {
  const report = reports.find((one) => one.target === target)!;
  return report.tables
    .flatMap(({ table, differences }) =>
      differences.map(({ kind, key }) => `${table.slice(table.indexOf(".") + 1)} ${key!.join()} ${kind}`),
    )
    .toSorted();
}

const expected = (planted: readonly Planted[]): string[] =>
  planted.map(({ table, key, kind }) => `${table} ${key} ${kind}`).toSorted();

describe("verify and repair", () => {
  for (const [kind, capture] of ways) {
    it(`${kind}, captured by ${capture} → postgres and mariadb: finds what was planted and nothing else, and repairs it, while the shop writes`, async () => {
      await using rig = await Rig.open(kind, { reporting: "postgres", warehouse: "mariadb" });
      const accepted = capture === "binlog" ? ({ foreignKeyActions: "accept" } as const) : {};
      await using app = await rig.openApp({ capture, ...accepted });
      await using _consumer = await rig.startConsumer();
      await rig.untilRegistered();
      const quiet = await quietRows(app, 60);
      const config = rig.config({ sources: { shop: { url: rig.source.url, capture } } });
      await rig.untilConverged();
      const stop = new AbortController();
      const load = runLoad(app.shop, { seconds: 60, rate: 60, signal: stop.signal });
      const planted = new Map<string, readonly Planted[]>();
      for (const [name, { url }] of Object.entries(rig.targets))
        planted.set(name, await plant(url, quiet, 5, name));
      const found = await runLockstep<Said>(config, "verify", "--slice", "40");
      expect(found.code).to.equal(1);
      for (const [name, rows] of planted) expect(told(found.json, name)).to.deep.equal(expected(rows));
      const dry = await runLockstep<Said>(config, "repair", "--dry-run", "--target", "reporting");
      expect(told(dry.json, "reporting")).to.deep.equal(expected(planted.get("reporting")!));
      const repaired = await runLockstep<Said>(config, "repair");
      expect(repaired.code, repaired.lines.join("\n")).to.equal(0);
      expect(repaired.json.different).to.equal(50);
      const again = await runLockstep<Said>(config, "verify", "--slice", "40");
      stop.abort();
      expect((await load).transactions).to.be.greaterThan(50);
      expect(
        again.json.reports.flatMap((_, i) => told(again.json, ["reporting", "warehouse"][i]!)),
      ).to.deep.equal([]);
      expect(again.code).to.equal(0);
      await rig.untilConverged();
    });
  }

  it("repairs tables that were emptied, and rows that were set back, while the shop writes", async () => {
    await using rig = await Rig.open("postgres", { reporting: "postgres", warehouse: "mariadb" });
    await using app = await rig.openApp();
    await using _consumer = await rig.startConsumer();
    await rig.untilRegistered();
    await quietRows(app, 300);
    const config = rig.config({ sources: { shop: { url: rig.source.url } } });
    await rig.untilConverged();
    const stop = new AbortController();
    const load = runLoad(app.shop, { seconds: 60, rate: 60, signal: stop.signal });
    await eventually(async () => ((await rig.countOrders("warehouse")) ?? 0) > 20, { what: "orders" });
    {
      await using side = await openSide(rig.targets["warehouse"]!.url);
      await side.query("TRUNCATE TABLE customers");
      await side.query("UPDATE products SET price = 0, title = 'as it was'");
      await side.query("DELETE FROM order_lines");
    }
    const repaired = await runLockstep<Said>(config, "repair", "--target", "warehouse");
    expect(repaired.code, repaired.lines.join("\n")).to.equal(0);
    expect(repaired.json.different).to.be.greaterThan(600);
    const again = await runLockstep<Said>(config, "verify");
    stop.abort();
    await load;
    expect(again.code, again.lines.join("\n")).to.equal(0);
    await rig.untilConverged();
  });
});
