import { isLockstepError } from "@lockstep/core";
import { eventually, startProxy } from "@lockstep/testing";
import { expect } from "chai";
import { connectionsTo } from "../../src/mysql/connections.js";
import type { SourceDatabase } from "../fixture/database.js";
import { mariaDb } from "../fixture/mysql.js";

describe("the relay's connections to MariaDB", () => {
  let db: SourceDatabase;
  beforeEach(async () => {
    db = await mariaDb.open();
  });
  afterEach(() => db.drop());

  it("fail when they break while rows are on their way", async () => {
    const app = await db.session();
    const { hostname, port } = new URL(db.url);
    await using proxy = await startProxy({ host: hostname, port: Number(port) });
    const connections = connectionsTo(proxy.url(db.url));
    try {
      const rows: unknown[] = [];
      const reading = connections.use((session) =>
        session.each("SELECT 1 UNION ALL SELECT SLEEP(60)", (row) => rows.push(row)),
      );
      const failed = reading.catch((error: unknown) => error);
      const isAsleep = async (): Promise<boolean> =>
        (
          await app.run(
            "select 1 from information_schema.processlist where info like 'SELECT 1 UNION%' and db = database()",
          )
        ).length > 0;
      await eventually(isAsleep, { what: "the statement to run" });
      proxy.reset();
      const error = await failed;
      expect(isLockstepError(error, "SOURCE_UNAVAILABLE"), String(error)).to.equal(true);
      expect(await connections.use((session) => session.rows("SELECT 2"))).to.deep.equal([[2]]);
    } finally {
      await connections.close();
    }
  });
});
