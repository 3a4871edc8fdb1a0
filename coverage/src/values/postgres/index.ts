import type { TypeTable } from "../column-type.js";
import { arrays, others, ranges } from "./collections.js";
import { numbers } from "./numbers.js";
import { documents, networksAndShapes } from "./structured.js";
import { textsAndBytes } from "./texts.js";
import { times } from "./times.js";

/** Column types of PostgreSQL. */
export const postgresTypes: TypeTable = {
  engine: "postgres",
  groups: [
    { title: "Numbers", types: numbers },
    { title: "Texts and bytes", types: textsAndBytes },
    { title: "Dates and times", types: times },
    { title: "Documents and search", types: documents },
    { title: "Networks and shapes", types: networksAndShapes },
    { title: "Ranges", types: ranges },
    { title: "Arrays", types: arrays },
    { title: "Made by users, and the system's own", types: others },
  ],
};

/** Types that TypeORM declares and that need an extension which servers rarely have; what becomes of them. */
export const postgresElsewhere: Readonly<Record<string, string>> = {
  geometry: "PostGIS",
  geography: "PostGIS",
  vector: "pgvector",
  halfvec: "pgvector",
};
