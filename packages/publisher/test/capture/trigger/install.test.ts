import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import { openActing } from "../foreign-keys/acting-source.js";

describe("triggers of MariaDB: installing", () => {
  it("is done by one of several processes that start at the same moment", async () => {
    const source = await openActing("trigger");
    try {
      await source.run("create table item (id int primary key)");
      await source.run("create table other (id int primary key)");
      expect(await source.installAtOnce(5, "item", "other")).to.deep.equal([]);
      expect(await source.status("item", "other")).to.deep.equal([]);
    } finally {
      await source.close();
    }
  });

  it("gives up a table's lock soon, names open transactions, and leaves the session as it was; so does removing", async () => {
    const source = await openActing("trigger");
    try {
      const { run } = source;
      await run("create table item (id int primary key)");
      await run("set session sql_mode = 'ANSI_QUOTES', lock_wait_timeout = 1");
      const reader = await source.session();
      await reader.run("begin");
      await reader.run("select * from item");
      const waitsInVain = async (work: Promise<unknown>): Promise<void> => {
        const error: unknown = await work.catch((error: unknown) => error);
        expect(isLockstepError(error, "CAPTURE_INSTALL_WAITS"), String(error)).to.equal(true);
        expect(String(error)).to.match(/connection \d+ \("\w+", open for \d+ s\)/);
        expect(await run("select @@sql_mode as mode, @@lock_wait_timeout as seconds")).to.deep.equal([
          { mode: "ANSI_QUOTES", seconds: "1" },
        ]);
      };
      await waitsInVain(source.install("item"));
      await run("insert into item values (1)");
      await reader.run("commit");
      expect(await source.install("item")).to.deep.equal([]);
      await run("insert into item values (2)");
      expect((await source.events()).map(({ key }) => key)).to.deep.equal(['["2"]']);
      await reader.run("begin");
      await reader.run("select * from item");
      await waitsInVain(source.remove());
      await reader.run("commit");
      await source.remove();
      expect((await source.status("item")).map(({ problem }) => problem)).to.deep.equal(["missing"]);
    } finally {
      await source.close();
    }
  });
});
