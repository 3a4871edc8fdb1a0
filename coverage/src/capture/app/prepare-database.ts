import type { SideConnection } from "./side-connection.js";
import type { DriverType } from "./typeorm-versions.js";

/** What TypeORM's entities can't say: a schema before the tables; triggers, functions and high ids after them. */
export type DatabasePart = "before tables" | "after tables";

/** Runs it. */
export async function prepareDatabase(
  side: SideConnection,
  driver: DriverType,
  part: DatabasePart,
): Promise<void> {
  const statements = (driver === "postgres" ? postgres : mysql)[part];
  for (const statement of statements) await side.run(statement);
}

const generated = [
  "author",
  "profile",
  "comment",
  "note",
  "pin",
  "item",
  "person",
  "animal",
  "book",
  "page",
  "active",
  "folder",
  "region",
  "route",
  "employee",
];

const postgres: Readonly<Record<DatabasePart, readonly string[]>> = {
  "before tables": ["CREATE SCHEMA other"],
  "after tables": [
    ...[...generated, "other.elsewhere"].map(
      (table) => `SELECT setval(pg_get_serial_sequence('${table}', 'id'), 1000)`,
    ),
    `CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.stamp = 'by trigger'; RETURN NEW; END $$`,
    "CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON item FOR EACH ROW EXECUTE FUNCTION stamp()",
    `CREATE FUNCTION count_reading() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       UPDATE author SET counter = counter + 1 WHERE id = 4; RETURN NULL; END $$`,
    "CREATE TRIGGER count_reading AFTER INSERT ON reading FOR EACH ROW WHEN (NEW.value = 77) EXECUTE FUNCTION count_reading()",
    "CREATE PROCEDURE relabel() LANGUAGE sql AS $$ UPDATE tag SET label = 'procedure' $$",
    "CREATE FUNCTION relabel_by_function() RETURNS int LANGUAGE sql AS $$ UPDATE tag SET label = 'function' RETURNING 1 $$",
  ],
};

const mysql: Readonly<Record<DatabasePart, readonly string[]>> = {
  "before tables": [],
  "after tables": [
    ...[...generated, "elsewhere"].map((table) => `ALTER TABLE \`${table}\` AUTO_INCREMENT = 1000`),
    "CREATE TRIGGER stamp_insert BEFORE INSERT ON item FOR EACH ROW SET NEW.stamp = 'by trigger'",
    "CREATE TRIGGER stamp_update BEFORE UPDATE ON item FOR EACH ROW SET NEW.stamp = 'by trigger'",
    `CREATE TRIGGER count_reading AFTER INSERT ON reading FOR EACH ROW
       UPDATE author SET counter = counter + 1 WHERE id = 4 AND NEW.value = 77`,
    "CREATE PROCEDURE relabel() UPDATE tag SET label = 'procedure'",
    `CREATE FUNCTION relabel_by_function() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN UPDATE tag SET label = 'function'; RETURN 1; END`,
  ],
};
