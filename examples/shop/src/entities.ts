import { EntitySchema, type EntitySchemaColumnOptions } from "typeorm";

/** A customer of the shop. */
export interface Customer {
  id: string;
  email: string;
  name: string;
  /** Points; beyond what a JavaScript number holds exactly. */
  loyaltyPoints: string;
  active: boolean;
  preferences: object | null;
  createdAt: Date;
}

/** Something the shop sells. */
export interface Product {
  id: number;
  sku: string;
  title: string;
  price: string;
  stock: number;
  weight: number | null;
  thumbnail: Buffer | null;
  tags: Tag[];
}

/** A word on a product. */
export interface Tag {
  name: string;
  description: string | null;
}

/** An order of a customer. */
export interface Order {
  id: string;
  customer: Customer;
  status: "new" | "paid" | "shipped" | "cancelled";
  note: string | null;
  total: string;
  placedAt: Date;
  updatedAt: Date;
  lines: OrderLine[];
}

/** One position of an order. */
export interface OrderLine {
  id: string;
  order: Order;
  lineNo: number;
  product: Product;
  quantity: number;
  unitPrice: string;
}

/** The shop's entities. */
export interface ShopEntities {
  readonly customer: EntitySchema<Customer>;
  readonly product: EntitySchema<Product>;
  readonly tag: EntitySchema<Tag>;
  readonly order: EntitySchema<Order>;
  readonly line: EntitySchema<OrderLine>;
}

type ColumnTypes = Readonly<Record<"uuid" | "moment" | "json" | "bytes" | "word", EntitySchemaColumnOptions>>;

const columnTypes: Readonly<Record<"postgres" | "mysql", ColumnTypes>> = {
  postgres: {
    uuid: { type: "uuid" },
    moment: { type: "timestamp with time zone", precision: 6 },
    json: { type: "jsonb" },
    bytes: { type: "bytea" },
    word: { type: "varchar", length: 120 },
  },
  // Keys that differ only in case or in spaces at the end are different rows: MariaDB's name of the collation that says so.
  mysql: {
    uuid: { type: "char", length: 36, collation: "utf8mb4_nopad_bin" },
    moment: { type: "datetime", precision: 6 },
    json: { type: "json" },
    bytes: { type: "blob" },
    word: { type: "varchar", length: 120, collation: "utf8mb4_nopad_bin" },
  },
};

/** The same shop on either engine: only the columns' types differ. */
export function shopEntities(engine: "postgres" | "mysql"): ShopEntities {
  const types = columnTypes[engine];
  return {
    customer: new EntitySchema<Customer>({
      name: "Customer",
      tableName: "customers",
      columns: {
        id: { ...types.uuid, primary: true },
        email: { ...types.word, unique: true },
        name: { type: "text" },
        loyaltyPoints: { name: "loyalty_points", type: "bigint", default: "0" },
        active: { type: "boolean", default: true },
        preferences: { ...types.json, nullable: true },
        createdAt: { ...types.moment, name: "created_at", createDate: true },
      },
    }),
    product: new EntitySchema<Product>({
      name: "Product",
      tableName: "products",
      columns: {
        id: { type: "int", primary: true, generated: "increment" },
        sku: { ...types.word, unique: true },
        title: { type: "text" },
        price: { type: "decimal", precision: 12, scale: 2 },
        stock: { type: "int" },
        weight: { type: "double precision", nullable: true },
        thumbnail: { ...types.bytes, nullable: true },
      },
      relations: {
        tags: { type: "many-to-many", target: "Tag", joinTable: { name: "product_tags" } },
      },
    }),
    tag: new EntitySchema<Tag>({
      name: "Tag",
      tableName: "tags",
      columns: { name: { ...types.word, primary: true }, description: { type: "text", nullable: true } },
    }),
    order: new EntitySchema<Order>({
      name: "Order",
      tableName: "orders",
      columns: {
        id: { type: "bigint", primary: true, generated: "increment" },
        status: { type: "enum", enum: ["new", "paid", "shipped", "cancelled"], default: "new" },
        note: { type: "text", nullable: true },
        total: { type: "decimal", precision: 14, scale: 2 },
        placedAt: { ...types.moment, name: "placed_at", createDate: true },
        updatedAt: { ...types.moment, name: "updated_at", updateDate: true },
      },
      relations: {
        customer: {
          type: "many-to-one",
          target: "Customer",
          nullable: false,
          joinColumn: { name: "customer_id" },
        },
        lines: { type: "one-to-many", target: "OrderLine", inverseSide: "order", cascade: true },
      },
    }),
    line: new EntitySchema<OrderLine>({
      name: "OrderLine",
      tableName: "order_lines",
      columns: {
        id: { type: "bigint", primary: true, generated: "increment" },
        lineNo: { name: "line_no", type: "int" },
        quantity: { type: "int" },
        unitPrice: { name: "unit_price", type: "decimal", precision: 12, scale: 2 },
      },
      relations: {
        order: {
          type: "many-to-one",
          target: "Order",
          joinColumn: { name: "order_id" },
          onDelete: "CASCADE",
        },
        product: {
          type: "many-to-one",
          target: "Product",
          nullable: false,
          joinColumn: { name: "product_id" },
        },
      },
    }),
  };
}

/** All of them, for a DataSource's `entities`. */
export function entityList(entities: ShopEntities): EntitySchema[] {
  return Object.values(entities) as EntitySchema[];
}
