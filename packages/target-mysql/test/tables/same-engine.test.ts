import { expect } from "chai";
import { enumMembers } from "../../src/tables/enum-members.js";
import { openMysqlLane, row, schemaOf, type MysqlLane } from "../mysql-lane.js";

describe("managed tables of a MySQL or MariaDB source", () => {
  let lane: MysqlLane;

  before(async () => (lane = await openMysqlLane({ schema: "managed" })));
  after(() => lane.close());

  it("hold what the source's column can hold", async () => {
    const schema = schemaOf("mysql", "holds", {
      id: ["integer", "int(8) unsigned zerofill"],
      zeros: ["integer", "int(8) unsigned zerofill"],
      // 65535 characters of latin1 are twice as many bytes in utf8mb4.
      latin: ["text", "text", { length: 65_535 }],
      long: ["text", "varchar(40000)", { length: 40_000 }],
      // What a source without strict mode has stored for a value that is no member.
      choice: ["enum", "enum('a','b\\\\c','it''s')"],
    });
    const [table] = await lane.tables(schema);
    const images = [
      row("00000007", "00000000", "ä".repeat(65_535), "ä".repeat(40_000), ""),
      row("00000008", "00000042", "", "", "b\\c"),
      row("00000009", "123456789", "", "", "it's"),
    ];
    // Twice: the rows are found by their keys.
    for (let round = 0; round < 2; round++)
      await lane.step((transaction) => transaction.upsert(table!, images));
    expect(await lane.fixture.read("select * from holds order by id")).deep.equal(
      images.map(({ image }) => image),
    );
    await lane.step((transaction) => transaction.remove(table!, [images[0]!.key]));
    expect(await lane.fixture.read("select count(*) from holds")).deep.equal([["2"]]);
  });

  it("take further members behind the ones they have", async () => {
    const version = (members: string) =>
      schemaOf("mysql", "grows", { id: ["integer", "int"], v: ["enum", members] });
    await lane.tables(version("enum('a')"));
    const [table] = await lane.tables(version("enum('a','b')"));
    await lane.step((transaction) => transaction.upsert(table!, [row("1", "b"), row("2", "")]));
    expect(await lane.fixture.read("select v from grows order by id")).deep.equal([["b"], [""]]);
  });

  it("read members as the catalog escapes them", () => {
    expect(enumMembers("enum('','it''s','a\\\\b','a\\nb','''')")).deep.equal([
      "",
      "it's",
      "a\\b",
      "a\nb",
      "'",
    ]);
  });
});
