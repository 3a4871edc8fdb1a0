import { isLockstepError } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { LogFollower, openWalSource, told, type WalSource } from "./wal-source.js";

describe("the write-ahead log: what others change about the publication", () => {
  let source: WalSource;

  beforeEach(async () => {
    source = await openWalSource();
    await source.sql("create table item (id int primary key, code text not null unique, note int)");
    await source.install("item");
  });
  afterEach(async () => {
    await source[Symbol.asyncDispose]();
  });

  const version = async (): Promise<number> =>
    Number((await source.sql("select current_setting('server_version_num') as v"))[0]!["v"]);
  const publication = async (): Promise<string> => {
    const [row] = await source.sql("select publications[1] as name from lockstep.wal");
    return row!["name"]!;
  };
  const messages = async (): Promise<string[]> =>
    (await source.plan("item")).findings.map(({ message }) => message);

  it("old rows by another index than the key: no delete and no changed key is taken for another row's", async () => {
    const follower = await LogFollower.lead(source.log());
    await source.sql("alter table item replica identity using index item_code_key");
    await source.sql("insert into item values (1, 'a', 1)");
    expect((await follower.until(1)).map(told)).to.deep.equal(['insert ["1"] ["1","a","1"]']);
    await source.sql("delete from item");
    const error = await eventually(() =>
      follower.look().then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(isLockstepError(error, "CAPTURE_LOG_LOST"), String(error)).to.equal(true);
    expect(String(error)).to.include("public.item");
    expect(follower.events).to.have.length(1);
    expect(await messages()).to.have.length(1);
  });

  it("kinds of changes, columns or rows that are left out are found, and published again", async () => {
    const name = await publication();
    const lacking = async (change: string): Promise<void> => {
      await source.sql(`alter publication ${name} ${change}`);
      expect(await messages(), change).to.have.length(1);
      await source.install("item");
      expect(await messages(), change).to.deep.equal([]);
    };
    await lacking("set (publish = 'insert, update')");
    await lacking("set (publish_via_partition_root = false)");
    if ((await version()) >= 150_000) {
      await lacking("set table item (id, code)");
      await lacking("set table item where (id > 1)");
    }
    const follower = await LogFollower.lead(source.log());
    await source.sql("insert into item values (1, 'a', 1)");
    await source.sql("delete from item");
    await source.sql("truncate item");
    expect((await follower.until(3)).map(told)).to.deep.equal([
      'insert ["1"] ["1","a","1"]',
      'delete ["1"]',
      "truncate []",
    ]);
  });
});
