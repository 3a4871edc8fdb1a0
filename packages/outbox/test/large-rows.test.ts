import { maxPageBytes, type ChangeLog, type RowNote, eventsOf } from "@lockstep/core";
import { expect } from "chai";
import { cellsOf, cutAll, keyOf, noteOf, type Session, type SourceDatabase } from "./fixture/database.js";
import { engines } from "./fixture/engines.js";
import { liveMemory } from "./fixture/live-memory.js";

const megabyte = 1_000_000;
const rows = 120;
const rowsOfTransaction = 40;

for (const engine of engines) {
  describe(`large rows on ${engine.name}`, () => {
    let db: SourceDatabase;
    let app: Session;
    let log: ChangeLog;
    let items: RowNote["table"];

    before(async () => {
      db = await engine.open();
      app = await db.session();
      log = db.log();
      items = { namespace: db.namespace, name: "item" };
      const text = db.engine === "postgres" ? "text" : "longtext";
      await app.run(`create table item (id bigint primary key, body ${text})`);
      await db.writer.describe(app.run, [items]);
      // Small ones before, between and behind the large ones.
      await save([1, 2, 3], 10);
      for (let first = 10; first < 10 + rows; first += rowsOfTransaction) {
        await save(
          Array.from({ length: rowsOfTransaction }, (_, i) => first + i),
          megabyte,
        );
      }
      await save([998, 999], 10);
      await cutAll(log);
    });
    after(() => db.drop());

    const save = async (ids: readonly number[], bytes: number): Promise<void> => {
      const values = ids.map((id) => `(${id}, repeat('${id % 10}', ${bytes}))`).join(",");
      const notes = ids.map((id) => noteOf(items, "insert", id));
      await app.transaction(notes, () => app.run(`insert into item values ${values}`));
    };

    // 1000: all in one query. 50: a tick larger than a page.
    for (const pageEvents of [1_000, 50]) {
      it(`come in pages of few bytes when ${pageEvents} of them are asked for`, async () => {
        const before = liveMemory();
        let peak = 0;
        const keys: number[] = [];
        for await (const page of log.read("0-0", { pageEvents })) {
          let bytes = 0;
          for (const event of eventsOf(page)) {
            const id = Number(keyOf(event));
            keys.push(id);
            bytes += event.image!.length;
            const body = cellsOf(event)[1]!;
            expect(body.length).to.equal(id >= 10 && id < 10 + rows ? megabyte : 10);
            expect(body[0]).to.equal(String(id % 10));
          }
          expect(bytes).to.be.lessThan(maxPageBytes + 100_000);
          peak = Math.max(peak, liveMemory() - before);
        }
        expect(keys).to.deep.equal([1, 2, 3, ...Array.from({ length: rows }, (_, i) => 10 + i), 998, 999]);
        expect(peak / 1e6).to.be.lessThan(40);
      });
    }
  });
}
