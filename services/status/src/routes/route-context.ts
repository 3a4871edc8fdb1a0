import { Type } from "typebox";
import type { Fleet } from "../fleet/fleet.js";
import type { Mask } from "@lockstep/core";
import type { SchemaBook } from "../letters/schema-book.js";
import type { StatusLimits } from "../options.js";
import type { Problem } from "../problem/problem.js";

/** What every route works with. */
export interface RouteContext {
  readonly fleet: Fleet;
  readonly mask: Mask;
  readonly schemas: SchemaBook;
  readonly limits: StatusLimits;
}

/** How every route documents its errors. Problems are sent past response schemas, so this only describes. */
export const problemResponse = {
  default: {
    description: "RFC 9457 problem details",
    content: { "application/problem+json": { schema: Type.Unsafe<Problem>({ $ref: "Problem#" }) } },
  },
} as const;
