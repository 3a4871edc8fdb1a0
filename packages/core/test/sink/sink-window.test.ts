import { expect } from "chai";
import { fingerprintOf, positionOf, type Sink, type TableSchema } from "../../src/index.js";
import { mostRemembered, sinkRows, sinkTable, SinkWindow } from "../../src/sink/sink-transaction.js";

const shape = {
  engine: "postgres" as const,
  namespace: "public",
  name: "things",
  key: ["id"],
  columns: ["id", "v"].map((name) => ({ name, type: "text", kind: "text" as const, nullable: true })),
};
const things: TableSchema = { ...shape, fingerprint: fingerprintOf(shape) };

/** A store that keeps the last value of each row, and counts what it gets. */
class Store implements Sink {
  readonly address = "memory";
  readonly rows = new Map<string, unknown>();
  writes = 0;
  write(...[, changes]: Parameters<Sink["write"]>) {
    this.writes += changes.length;
    for (const { key, image } of changes) this.rows.set(key, image?.[1]);
    return Promise.resolve([]);
  }
  truncate = () => Promise.resolve();
  close = () => Promise.resolve();
}

describe("what a step has sent to a store without transactions", () => {
  const table = sinkTable(things);
  const page = (from: number, count: number, v: string, tick: number) =>
    Array.from({ length: count }, (_, i) => ({
      key: `["${from + i}"]`,
      image: [`${from + i}`, v],
      position: positionOf(tick, from + i),
    }));
  const stepOf = (sink: Sink, window: SinkWindow) =>
    sinkRows({
      sink,
      window,
      name: "store",
      version: "1",
      position: positionOf(9, 1),
      lane: { source: "s", partition: 0 },
    });

  it("is sent once when the step is tried again", async () => {
    const [store, window] = [new Store(), new SinkWindow()];
    for (let i = 0; i < 2; i++) await stepOf(store, window).upsert(table, page(0, 10, "a", 1));
    expect(store.writes).equal(10);
  });

  it("is not remembered without bound, and leaves the newest of each row however much of it is sent again", async () => {
    const [store, window] = [new Store(), new SinkWindow()];
    const pages = [page(0, 10, "old", 1), page(10, mostRemembered, "a", 2), page(0, 10, "new", 3)];
    for (let i = 0; i < 2; i++) {
      for (const rows of pages) await stepOf(store, window).upsert(table, rows);
      expect(window.size).most(mostRemembered);
      expect(store.rows.get('["3"]')).equal("new");
    }
  });
});
