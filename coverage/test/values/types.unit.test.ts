import { expect } from "chai";
import { DataSource, type DataSourceOptions } from "typeorm";
import type { TypeTable } from "../../src/values/column-type.js";
import { mysqlElsewhere, mysqlTypes } from "../../src/values/mysql/index.js";
import { postgresElsewhere, postgresTypes } from "../../src/values/postgres/index.js";

/** Names of every type that TypeORM can declare. */
function declarable(type: "postgres" | "mariadb"): readonly string[] {
  return new DataSource({ type } as DataSourceOptions).driver.supportedDataTypes.map(String);
}

function declaredBy({ groups }: TypeTable): readonly string[] {
  return groups.flatMap(({ types }) => types).flatMap(({ type, declaredAs }) => declaredAs ?? [type]);
}

describe("the table of column types", () => {
  for (const [type, table, elsewhere] of [
    ["postgres", postgresTypes, postgresElsewhere],
    ["mariadb", mysqlTypes, mysqlElsewhere],
  ] as const) {
    it(`has every type that TypeORM can declare for ${type}, or says why not`, () => {
      const known = new Set([...declaredBy(table), ...Object.keys(elsewhere)]);
      expect(declarable(type).filter((name) => !known.has(name))).deep.equal([]);
      expect(Object.keys(elsewhere).filter((name) => !declarable(type).includes(name))).deep.equal([]);
    });
  }
});
