import type { Cell, RowImage, RowWrite } from "@lockstep/core";
import { contractContext, openLane } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import fc from "fast-check";
import { openFixture } from "../fixture.js";
import { row, sourceTable } from "../source-table.js";

describe("ways of writing rows", () => {
  const context = contractContext(openFixture);
  const columns = {
    id: ["integer", "integer"],
    note: ["text", "text"],
    tags: ["text[]", "other"],
    data: ["jsonb", "json"],
    bytes: ["bytea", "bytes"],
  } as const;

  const text = fc.oneof(
    fc.string({ unit: "binary" }).map((s) => s.replaceAll("\u0000", "")),
    fc.stringMatching(/^[\\"'{}\t\n\r,:N]*$/),
    fc.constantFrom("NULL", "null", "\\N", "\\.", ""),
  );
  const tags = fc.oneof(
    fc.constantFrom("{}", '{NULL,"NULL"}', '{"a,b","\\\\ \\"",""}', "[2:3]={1,2}", "{{a,b},{c,d}}"),
    fc.constant(null),
  );
  const bytes = fc.uint8Array({ maxLength: 20 }).map((b) => `\\x${Buffer.from(b).toString("hex")}`);
  const cells = fc.tuple(
    fc.option(text),
    tags,
    fc.option(text.map((s) => JSON.stringify({ s }))),
    fc.option(bytes),
  );

  /** 1 and 3: bound one by one; 10: arrays; 120: COPY, and arrays when the rows are there. */
  const sizes = [1, 3, 10, 120];

  it("store the same texts, whether rows are new or known, few or many", async () => {
    const lane = await openLane(await context.target({ schema: "managed" }), "ways");
    const tables = await lane.session.tables(sizes.map((size) => sourceTable(`ways_${size}`, columns)));
    await fc.assert(
      fc.asyncProperty(fc.array(cells, { minLength: 120, maxLength: 120 }), async (rows) => {
        const images = rows.map((rest, n) => [String(n), ...rest]);
        const stored: unknown[] = [];
        for (const [i, size] of sizes.entries()) {
          await lane.step(async (transaction) => {
            for (let at = 0; at < images.length; at += size) {
              await transaction.upsert(
                tables[i]!,
                images.slice(at, at + size).map((image) => row(image)),
              );
            }
          });
          const read = await context.fixture.read(
            `select t.id::text, note, tags::text, data::text, '\\x' || encode(bytes, 'hex') from ways_${size} t order by t.id`,
          );
          stored.push(read);
          expect(read.map(([, note]) => note)).deep.equal(images.map(([, note]) => note));
          expect(read.map((cells) => cells[2])).deep.equal(images.map((cells) => cells[2]));
          expect(read.map((cells) => cells[4])).deep.equal(images.map((cells) => cells[4]));
        }
        for (const other of stored) expect(other).deep.equal(stored[0]);
      }),
      { numRuns: 12 },
    );
    await lane.close();
  });

  it("copy images as the texts they are, where PostgreSQL reads them the same", async () => {
    const lane = await openLane(await context.target({ schema: "managed" }), "texts");
    const [table] = await lane.session.tables([sourceTable("ways_as_text", columns)]);
    let parsed = 0;
    const asText = (image: RowImage): RowWrite => ({
      key: JSON.stringify(image.slice(0, 1)),
      text: JSON.stringify(image),
      get image() {
        parsed++;
        return image;
      },
    });
    const read = () =>
      context.fixture.read(
        `select t.id::text, note, tags::text, data::text, '\\x' || encode(bytes, 'hex') from ways_as_text t order by t.id`,
      );
    const batches = async (rows: readonly (readonly Cell[])[]) => {
      const images = rows.map((rest, n) => [String(n), ...rest]);
      await lane.step(async (transaction) => {
        await transaction.truncate(table!);
        for (let at = 0; at < images.length; at += 60)
          await transaction.upsert(table!, images.slice(at, at + 60).map(asText));
      });
      return images.map(([id, note, tags]) => [id, note, tags]);
    };
    // Two batches of new rows make it expect more of them.
    await batches(Array.from({ length: 120 }, () => ["a", null, null, null]));
    const plain = fc.oneof(
      fc.stringMatching(/^[\\"'{}[\], .:Nnul0-9é€]*$/),
      fc.constantFrom("null", "NULL", "😀", "\\N", "\\.", "", ",", '"', '",null,"', "],", '\\"'),
    );
    const rowsOf = (note: fc.Arbitrary<string>) =>
      fc.array(fc.tuple(fc.option(note), tags, fc.constant(null), fc.option(bytes)), {
        minLength: 60,
        maxLength: 60,
      });
    await fc.assert(
      fc.asyncProperty(rowsOf(plain), rowsOf(text), async (asTheyAre, any) => {
        parsed = 0;
        const first = await batches(asTheyAre);
        expect(parsed).equal(0);
        expect((await read()).map((cells) => cells.slice(0, 3))).deep.equal(first);
        const second = await batches(any);
        expect((await read()).map((cells) => cells.slice(0, 3))).deep.equal(second);
      }),
      { numRuns: 15 },
    );
    await lane.close();
  });

  it("write by their cells when a row that was expected to be new is there, or is refused", async () => {
    const lane = await openLane(await context.target({ schema: "managed" }), "there");
    const [table] = await lane.session.tables([sourceTable("ways_there", { id: ["integer", "integer"] })]);
    const rows = (from: number) =>
      Array.from({ length: 60 }, (_, i) => {
        const { key, image } = row([String(from + i)]);
        return { key, image, text: key };
      });
    await lane.step(async (transaction) => {
      for (const from of [0, 60, 120, 150]) await transaction.upsert(table!, rows(from));
    });
    const count = async () => (await context.fixture.read("select count(*) from ways_there"))[0]![0];
    expect(await count()).equal("210");
    await lane.step(async (transaction) => {
      for (const from of [210, 270, 330]) await transaction.upsert(table!, rows(from));
      const bad = { ...row(["x"]), text: '["x"]' };
      const refused = transaction.savepoint(() => transaction.upsert(table!, [...rows(390), bad]));
      expect(await refused.catch((error: unknown) => (error as { code: string }).code)).equal("22P02");
    });
    expect(await count()).equal("390");
    await lane.close();
  });

  it("enforce the column's length and never cut, few or many", async () => {
    await context.fixture.run(
      "create table lengths (id integer primary key, v varchar(3), b bit(4), c character(3), n numeric(4,2), t timestamp(0))",
    );
    const target = await context.target();
    const lane = await openLane(target, "lengths");
    const [table] = await lane.session.tables([
      sourceTable("lengths", {
        id: ["integer", "integer"],
        v: ["text", "text"],
        b: ["bit varying", "bits"],
        c: ["text", "text"],
        n: ["numeric", "numeric"],
        t: ["timestamp without time zone", "timestamp"],
      }),
    ]);
    const good = ["abc", "0101", "abc", "12.34", "2026-01-02 03:04:05"];
    const bad = ["abcd", "01011", "abcd", "123.4", "not a time"];
    for (const count of [1, 10, 120]) {
      for (const [at, value] of bad.entries()) {
        const image = (n: number) => [
          "" + n,
          ...good.map((cell, i) => (i === at && n === count - 1 ? value : cell)),
        ];
        const rows = Array.from({ length: count }, (_, n) => row(image(n)));
        const refused = await lane
          .step((transaction) => transaction.upsert(table!, rows))
          .catch((error: unknown) => error);
        expect(target.classify(refused), `${value} among ${count}`).deep.include({
          kind: "row",
          code: "TARGET_VALUE",
        });
      }
    }
    await lane.close();
  });

  it("name the column that can't read a text, where the server says which", async () => {
    const target = await context.target({ schema: "managed" });
    const lane = await openLane(target, "named");
    const [table] = await lane.session.tables([
      sourceTable("named", {
        id: ["integer", "integer"],
        a: ["text", "text"],
        "odd: name": ["integer", "integer"],
      }),
    ]);
    for (const count of [1, 10, 120]) {
      const rows = Array.from({ length: count }, (_, n) => row([String(n), "a", "secret"]));
      const refused = await lane
        .step((transaction) => transaction.upsert(table!, rows))
        .catch((error: unknown) => error);
      expect(target.classify(refused)).deep.equal({ kind: "row", code: "TARGET_VALUE", about: "odd: name" });
    }
    await lane.close();
  });
});
