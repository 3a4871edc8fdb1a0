import { type Engine, fingerprintOf, type TableSchema } from "@lockstep/core";

/** The tables of the lane tests: customers ← orders, people who point to each other, with what a target can refuse. */
export interface Shop {
  readonly customers: TableSchema;
  readonly orders: TableSchema;
  readonly people: TableSchema;
}

/** Their schemas at the source. */
export function shopOf(engine: Engine): Shop {
  return {
    customers: schemaOf(engine, "customers", { id: 0, email: 80, name: 200 }),
    orders: schemaOf(engine, "orders", { id: 0, customer: 0, note: 200 }),
    people: schemaOf(engine, "people", { id: 0, partner: 0 }),
  };
}

/** Statements that make them in the target. A customer named `bad` is refused. */
export const shopTables = [
  `CREATE TABLE customers (id integer NOT NULL PRIMARY KEY, email varchar(80) UNIQUE, name varchar(200),
     CONSTRAINT no_bad_name CHECK (name <> 'bad'))`,
  `CREATE TABLE orders (id integer NOT NULL PRIMARY KEY, customer integer, note varchar(200),
     CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES customers (id))`,
  `CREATE TABLE people (id integer NOT NULL PRIMARY KEY, partner integer,
     CONSTRAINT to_partner FOREIGN KEY (partner) REFERENCES people (id))`,
] as const;

function schemaOf(engine: Engine, name: string, columns: Readonly<Record<string, number>>): TableSchema {
  const schema = {
    engine,
    namespace: "shop",
    name,
    key: ["id"],
    columns: Object.entries(columns).map(([column, length]) => ({
      name: column,
      nullable: column !== "id",
      ...(length === 0 ? integerOf(engine) : textOf(engine, length)),
    })),
  };
  return { ...schema, fingerprint: fingerprintOf(schema) };
}

function integerOf(engine: Engine) {
  return { type: engine === "postgres" ? "integer" : "int(11)", kind: "integer" as const };
}

function textOf(engine: Engine, length: number) {
  const type = engine === "postgres" ? `character varying(${length})` : `varchar(${length})`;
  return { type, kind: "text" as const, length };
}
