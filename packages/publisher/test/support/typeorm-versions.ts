import * as current from "typeorm";
import * as oldest from "typeorm-0.3.20";
import * as lastOfZero from "typeorm-0.3.31";

/** TypeORM, by the types of the version that is developed against. */
export type TypeOrm = typeof current;

/** The versions that are tested. */
export const typeOrmVersions: Readonly<Record<string, TypeOrm>> = {
  "1.1.1": current,
  "0.3.31": lastOfZero as unknown as TypeOrm,
  "0.3.20": oldest as unknown as TypeOrm,
};
