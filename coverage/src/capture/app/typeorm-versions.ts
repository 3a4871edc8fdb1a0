import * as current from "typeorm";
import * as oldest from "typeorm-0.3.20";
import * as lastOfZero from "typeorm-0.3.31";

/** TypeORM, by the types of the version that is developed against. */
export type TypeOrm = typeof current;

/** The oldest version that is supported, the last 0.3 and the newest. */
export const typeOrmVersions = {
  "0.3.20": oldest as unknown as TypeOrm,
  "0.3.31": lastOfZero as unknown as TypeOrm,
  "1.1.1": current,
} as const satisfies Readonly<Record<string, TypeOrm>>;

/** One of them. */
export type TypeOrmVersion = keyof typeof typeOrmVersions;

/** How the application reaches its database. `mysql` on MariaDB takes the way without RETURNING, as on MySQL. */
export type DriverType = "postgres" | "mariadb" | "mysql";

/** All drivers. */
export const driverTypes = ["postgres", "mariadb", "mysql"] as const satisfies readonly DriverType[];

/** One column of the matrix. */
export interface Column {
  readonly version: TypeOrmVersion;
  readonly driver: DriverType;
}
