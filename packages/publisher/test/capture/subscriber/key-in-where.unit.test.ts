import { expect } from "chai";
import type { CapturedTable } from "../../../src/capture/subscriber/captured-tables.js";
import { keyInWhere } from "../../../src/capture/subscriber/identify/key-in-where.js";

const table = (kind: "integer" | "text", ...names: string[]) =>
  ({ keys: names.map((name) => ({ name, kind, type: kind })) }) as unknown as CapturedTable;

describe("keyInWhere", () => {
  const told = (where: string, parameter: unknown, of = table("integer", "id")) =>
    keyInWhere("mysql", of, {
      sql: `UPDATE \`t\` SET \`a\` = ?${where}`,
      parameters: ["x", parameter],
      where,
    });

  it("tells a single integer key", () => {
    expect(told(" WHERE `id` IN (?)", 5)).to.deep.equal(["5"]);
    expect(told(" WHERE ( `id` = ? )", "18446744073709551615")).to.deep.equal(["18446744073709551615"]);
  });

  it("tells nothing where anything else could match", () => {
    expect(told(" WHERE `id` IN (?, ?)", 5)).to.equal(undefined);
    expect(told(" WHERE `id` = ? OR 1 = 1", 5)).to.equal(undefined);
    expect(told(" WHERE `a` = 1 AND `id` = ?", 5)).to.equal(undefined);
    expect(told(" WHERE NOT `id` = ?", 5)).to.equal(undefined);
    expect(told(" WHERE `a` IN (SELECT `b` FROM `c` WHERE `id` = ?)", 5)).to.equal(undefined);
    expect(told(" WHERE `grid` = ?", 5)).to.equal(undefined);
    expect(told("", 5)).to.equal(undefined);
  });

  it("tells nothing whose text isn't beyond doubt", () => {
    for (const value of ["05", "5.0", 5.5, "abc", null, true, 2 ** 53]) {
      expect(told(" WHERE `id` = ?", value), String(value)).to.equal(undefined);
    }
    expect(told(" WHERE `id` = ?", "a", table("text", "id"))).to.equal(undefined);
    expect(told(" WHERE `id` = ?", 5, table("integer", "id", "other"))).to.equal(undefined);
  });

  it("tells it on PostgreSQL by the placeholder's number", () => {
    const of = table("integer", "id");
    const where = ' WHERE "id" IN ($2)';
    const said = (sql: string, parameters: unknown[]) =>
      keyInWhere("postgres", of, { sql, parameters, where });
    expect(said(`UPDATE "t" SET "a" = $1${where}`, ["x", 5])).to.deep.equal(["5"]);
    expect(said(`UPDATE "t" SET "a" = $1, "b" = $3${where} RETURNING "c"`, ["x", 5, 6])).to.deep.equal(["5"]);
    expect(said(`UPDATE "t" SET "a" = $1${where} AND "b" = $1`, ["x", 5])).to.equal(undefined);
    expect(said(`UPDATE "t" SET "a" = $1${where} OR "id" = $1 RETURNING "c"`, ["x", 5])).to.equal(undefined);
    expect(said('UPDATE "t" SET "a" = $1 WHERE "id" IN ($2, $3)', ["x", 5, 6])).to.equal(undefined);
  });
});
