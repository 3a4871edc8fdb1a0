import type { TargetFixture } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { Session } from "../../src/session/session.js";
import { openMysqlFixture } from "../mysql-fixture.js";
import { rejection } from "../mysql-lane.js";

describe("a session", () => {
  let fixture: TargetFixture;
  let session: Session;

  before(async () => {
    fixture = await openMysqlFixture();
    const database = new URL(fixture.url).pathname.slice(1);
    session = await Session.open({ url: fixture.url, database, statementTimeoutMs: 5000 });
    await session.write("CREATE TABLE v (id int PRIMARY KEY, d decimal(4,1))");
  });
  after(async () => {
    await session.close();
    await fixture.drop();
  });

  it("sees the warning of a write although another question waits behind it", async () => {
    const write = session.write("INSERT INTO v VALUES (1, 1.25)");
    const others = [session.rows("SELECT 1"), session.write("INSERT INTO v VALUES (2, 1.5)")];
    expect(String(await rejection(write))).contain("TARGET_VALUE");
    await Promise.all(others);
  });

  it("gives the rows found, changed or not, and the answer of each statement of a script", async () => {
    await session.write("INSERT INTO v VALUES (7, 1)");
    expect(await session.write("UPDATE v SET d = 1 WHERE id = 7")).equal(1);
    expect(
      await session.writeEach(["UPDATE v SET d = 1 WHERE id = 7", "UPDATE v SET d = 1 WHERE id = 99"]),
    ).deep.equal([1, 0]);
    const answers = await session.script(
      ["UPDATE v SET d = 2 WHERE id = ?", "SELECT d FROM v WHERE id = ?", "SELECT d FROM v WHERE id = 99"],
      [7, 7],
    );
    expect(answers).deep.equal([1, [{ d: "2.0" }], []]);
  });
});
