import type { DriverType, TypeOrm } from "../app/typeorm-versions.js";
import { decorate } from "./decorate.js";

/** Keys that are not one generated number, columns that are not plain, names that need quotes. */
export function keyEntities(orm: TypeOrm, driver: DriverType) {
  const { Entity, Column, PrimaryColumn, PrimaryGeneratedColumn, ManyToOne, JoinColumn } = orm;
  const postgres = driver === "postgres";

  class Line {
    orderNo!: number | string;
    sku!: string;
    quantity!: number;
  }
  class Shipment {
    orderNo!: string;
    sku!: string;
    line!: Line;
    carrier!: string;
    done!: boolean;
  }
  class Reading {
    at!: Date | string;
    value!: number;
  }
  class Geo {
    city!: string | null;
    zip!: string | null;
  }
  class Address {
    street!: string | null;
    geo!: Geo;
  }
  class Odd {
    theKey!: string;
    inner!: Address;
  }
  class Place {
    country!: string;
    code!: string;
  }
  class Depot {
    place!: Place;
    capacity!: number;
  }
  class Item {
    id!: string;
    code!: string;
    labels!: string[];
    doc!: object | null;
    price!: number;
    gross!: number;
    stamp!: string | null;
    frozen!: string | null;
    late!: string | null;
  }
  class Elsewhere {
    id!: number;
    name!: string;
  }

  const short = { type: "varchar", length: 40 } as const;
  // Type mysql writes generated columns as MySQL takes them, and MariaDB doesn't.
  const generated = {
    type: "int",
    asExpression: postgres ? '"price" * 2' : "`price` * 2",
    generatedType: "STORED",
    insert: false,
    update: false,
  } as const;
  decorate(Line, [Entity("line")], {
    orderNo: [PrimaryColumn({ type: "bigint" })],
    sku: [PrimaryColumn({ type: "varchar", length: 20 })],
    quantity: [Column({ type: "int" })],
  });
  decorate(Shipment, [Entity("shipment")], {
    orderNo: [PrimaryColumn({ type: "bigint" })],
    sku: [PrimaryColumn({ type: "varchar", length: 20 })],
    line: [
      ManyToOne(() => Line, { onDelete: "CASCADE", onUpdate: "CASCADE" }),
      JoinColumn([
        { name: "orderNo", referencedColumnName: "orderNo" },
        { name: "sku", referencedColumnName: "sku" },
      ]),
    ],
    carrier: [Column(short)],
    done: [Column({ type: "boolean", default: false })],
  });
  decorate(Reading, [Entity("reading")], {
    at: [
      PrimaryColumn({
        type: postgres ? "timestamptz" : "datetime",
        precision: 6,
        default: () => "CURRENT_TIMESTAMP(6)",
      }),
    ],
    value: [Column({ type: "int" })],
  });
  decorate(Geo, [], {
    city: [Column({ ...short, nullable: true })],
    zip: [Column({ ...short, nullable: true })],
  });
  decorate(Address, [], {
    street: [Column({ ...short, name: "st reet", nullable: true })],
    geo: [Column(() => Geo)],
  });
  decorate(Odd, [Entity("Odd Table $1")], {
    theKey: [PrimaryColumn({ ...short, name: "The Key" })],
    inner: [Column(() => Address)],
  });
  decorate(Place, [], { country: [PrimaryColumn(short)], code: [PrimaryColumn(short)] });
  decorate(Depot, [Entity("depot")], {
    place: [Column(() => Place)],
    capacity: [Column({ type: "int", default: 1 })],
  });
  decorate(Item, [Entity("item")], {
    id: [PrimaryGeneratedColumn({ type: "bigint" })],
    code: [
      Column({
        ...short,
        // What the application sees is not what the table holds.
        transformer: {
          to: (value: unknown) => (typeof value === "string" ? value.toUpperCase() : value),
          from: (value: unknown) => (typeof value === "string" ? value.toLowerCase() : value),
        },
      }),
    ],
    labels: [Column({ type: "simple-array" })],
    doc: [Column({ type: "simple-json", nullable: true })],
    price: [Column({ type: "int", default: 1 })],
    gross: [Column(driver === "mysql" ? { type: "int", default: 0 } : { ...generated, nullable: true })],
    // Set by a trigger of the database.
    stamp: [Column({ ...short, nullable: true })],
    frozen: [Column({ ...short, nullable: true, update: false })],
    late: [Column({ ...short, nullable: true, insert: false })],
  });
  decorate(Elsewhere, [Entity("elsewhere", postgres ? { schema: "other" } : {})], {
    id: [PrimaryGeneratedColumn()],
    name: [Column(short)],
  });
  return { Line, Shipment, Reading, Odd, Depot, Item, Elsewhere };
}
