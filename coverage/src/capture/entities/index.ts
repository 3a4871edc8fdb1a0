import type { DriverType, TypeOrm } from "../app/typeorm-versions.js";
import { blogEntities } from "./blog.js";
import { keyEntities } from "./keys.js";
import { shapeEntities } from "./shapes.js";
import { treeEntities } from "./trees.js";

/** Every entity of the matrix, made anew for a copy of TypeORM. */
export function allEntities(orm: TypeOrm, driver: DriverType) {
  // All copies of TypeORM in a process share one global store of decorators.
  Reflect.deleteProperty(globalThis, "typeormMetadataArgsStorage");
  return { ...blogEntities(orm), ...keyEntities(orm, driver), ...shapeEntities(orm), ...treeEntities(orm) };
}

/** The entities by name. */
export type Entities = ReturnType<typeof allEntities>;
