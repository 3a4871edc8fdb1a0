import type { TypeTable } from "../column-type.js";
import { numbers } from "./numbers.js";
import { byteTypes, textTypes } from "./texts.js";
import { shapes, times } from "./times-and-shapes.js";

/** Column types of MySQL and MariaDB. */
export const mysqlTypes: TypeTable = {
  engine: "mysql",
  groups: [
    { title: "Numbers", types: numbers },
    { title: "Texts", types: textTypes },
    { title: "Bytes", types: byteTypes },
    { title: "Dates and times", types: times },
    { title: "Shapes", types: shapes },
  ],
};

/** Types that TypeORM declares and that the tested server doesn't have. */
export const mysqlElsewhere: Readonly<Record<string, string>> = {
  vector: "MySQL 9, MariaDB 11.7",
};
