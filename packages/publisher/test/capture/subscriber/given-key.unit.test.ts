import { expect } from "chai";
import type { CapturedTable } from "../../../src/capture/subscriber/captured-tables.js";
import { givenKey } from "../../../src/capture/subscriber/identify/given-key.js";

const table = (...keys: (readonly [name: string, kind: string, type: string])[]) =>
  ({ keys: keys.map(([name, kind, type]) => ({ name, kind, type })) }) as unknown as CapturedTable;

describe("givenKey", () => {
  const words = table(["word", "text", "character varying(20)"]);
  const insert = (of: CapturedTable, sql: string, ...parameters: unknown[]) =>
    givenKey(of, { sql, parameters });
  const word = (value: unknown, type = "text", kind = "text") =>
    insert(table(["word", kind, type]), 'INSERT INTO "t"("word") VALUES ($1)', value);

  it("tells the key of one row, wherever its columns stand", () => {
    expect(insert(words, 'INSERT INTO "t"("word", "n") VALUES ($1, $2)', "a", 1)).to.deep.equal(["a"]);
    expect(insert(words, 'INSERT INTO "s"."t"("n", "word") VALUES (DEFAULT, $1)', "a")).to.deep.equal(["a"]);
    const line = table(["no", "integer", "bigint"], ["sku", "text", "text"]);
    expect(insert(line, 'INSERT INTO "t"("sku", "no") VALUES ($1, $2)', "a", "7")).to.deep.equal(["7", "a"]);
  });

  it("tells nothing of what the text doesn't say", () => {
    for (const sql of [
      'INSERT INTO "t"("word") VALUES (DEFAULT)',
      'INSERT INTO "t"("n") VALUES ($1)',
      'INSERT INTO "t"("word") VALUES ($1), ($2)',
      'INSERT INTO "t"("word") VALUES ($1) ON CONFLICT DO NOTHING',
      'INSERT INTO "t"("word") VALUES (upper($1))',
      'INSERT INTO "t"("word") SELECT $1',
      'INSERT INTO "t"("a"", ""word", "b") VALUES ($1, $2)',
      'INSERT INTO "t"("word") VALUES ($1) RETURNING "word"',
      'WITH "x" AS (SELECT 1) INSERT INTO "t"("word") VALUES ($1)',
    ])
      expect(insert(words, sql, "a", "b"), sql).to.equal(undefined);
  });

  it("tells what the database prints as it was sent", () => {
    for (const value of ["a", "", " a", "ä\u{1f642}", "tab\tline\n"])
      expect(word(value)).to.deep.equal([value]);
    const id = "123e4567-e89b-12d3-a456-426614174000";
    expect(word(id, "uuid", "uuid")).to.deep.equal([id]);
    expect(word(5, "integer", "integer")).to.deep.equal(["5"]);
  });

  it("tells nothing whose text isn't beyond doubt", () => {
    for (const value of ["a ", "\ud800", 5, null, undefined, true, new Date(0), Buffer.from("a")])
      expect(word(value), String(value)).to.equal(undefined);
    for (const type of ["character(3)", "citext", "name", "word", "text[]"])
      expect(word("a", type), type).to.equal(undefined);
    expect(word("123E4567-E89B-12D3-A456-426614174000", "uuid", "uuid")).to.equal(undefined);
    expect(word("{123e4567-e89b-12d3-a456-426614174000}", "uuid", "uuid")).to.equal(undefined);
    for (const [kind, type] of [
      ["timestamptz", "timestamp with time zone"],
      ["numeric", "numeric"],
      ["enum", "mood"],
    ] as const)
      expect(word("1", type, kind), type).to.equal(undefined);
  });
});
