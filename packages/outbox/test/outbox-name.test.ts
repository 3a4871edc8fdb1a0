import { isLockstepError, type OutboxWriter } from "@lockstep/core";
import { expect } from "chai";
import { mysqlOutboxWriter, postgresOutboxWriter } from "../src/index.js";
import type { Session, SourceDatabase } from "./fixture/database.js";
import { engines } from "./fixture/engines.js";

interface Place {
  readonly schema?: string;
  readonly prefix?: string;
  readonly table?: string;
}

for (const engine of engines) {
  describe(`the name of an outbox on ${engine.name}`, () => {
    let db: SourceDatabase;
    let app: Session;
    before(async () => {
      db = await engine.open({ table: "order_changes" });
      app = await db.session();
    });
    after(() => db.drop());

    const writerAt = (place: Place): OutboxWriter =>
      db.engine === "postgres" ? postgresOutboxWriter(place) : mysqlOutboxWriter(place);
    const refusal = async (
      place: Place,
      step: "ensure" | "check" = "ensure",
    ): Promise<string | undefined> => {
      try {
        await writerAt(place)[step](app.run);
        return undefined;
      } catch (error) {
        return isLockstepError(error) ? error.code : String(error);
      }
    };

    it("stays what it was made with: another one would begin an empty outbox beside what waits", async () => {
      for (const step of ["ensure", "check"] as const) {
        expect(await refusal({ table: "order_changes" }, step)).equal(undefined);
        expect(await refusal({}, step)).equal("OUTBOX_NAME");
        expect(await refusal({ table: "changes" }, step)).equal("OUTBOX_NAME");
      }
    });

    it("is never that of a table that is there already, which is left as it is", async () => {
      const place = db.engine === "postgres" ? { schema: "audit" } : { prefix: "audit_" };
      if (db.engine === "postgres") await app.run("create schema audit");
      const orders = db.engine === "postgres" ? "audit.orders" : "orders";
      await app.run(`create table ${orders} (id int primary key)`);
      expect(await refusal({ ...place, table: "orders" })).equal("OUTBOX_NAME");
      // Another outbox's, where all tables are in one database.
      if (db.engine === "mysql")
        expect(await refusal({ ...place, table: "order_changes" })).equal("OUTBOX_NAME");
      await app.run(`insert into ${orders} values (1)`);
      expect(await app.run(`select * from ${orders}`)).deep.equal([{ id: 1 }]);
      expect(await refusal({ ...place, table: "changes" })).equal(undefined);
      await writerAt({ ...place, table: "changes" }).remove(app.run);
    });

    if (engine.name === "PostgreSQL")
      it("lies in no schema that is named like a dollar quote", () => {
        for (const schema of ["a$fn$", "$$"]) expect(() => postgresOutboxWriter({ schema })).throw("two $");
        postgresOutboxWriter({ schema: "a$fn $" });
      });

    it("is made of small letters, and no other table's of Lockstep", () => {
      for (const table of ["", "Orders", "order changes", 'a"b', "a`b", "1st", "é", "x".repeat(64)])
        expect(() => writerAt({ table }), table).throw("small letters");
      for (const table of db.engine === "postgres" ? ["tick", "state_pkey", "outbox_seq"] : ["lockstep_tick"])
        expect(() => writerAt({ table }), table).throw("another of Lockstep");
    });
  });
}
