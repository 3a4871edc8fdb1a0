import { byHand } from "./by-hand.js";
import { cascades } from "./cascades.js";
import { deletion } from "./delete.js";
import { foreignKeys } from "./foreign-keys.js";
import { insert } from "./insert.js";
import { save } from "./save.js";
import { transactions } from "./transactions.js";
import { trees } from "./trees.js";
import { update } from "./update.js";
import { upsert } from "./upsert.js";
import type { Family } from "./write-path.js";

/** Every row of the matrix, in the order of the document. */
export const families: readonly Family[] = [
  save,
  cascades,
  insert,
  upsert,
  update,
  deletion,
  trees,
  foreignKeys,
  byHand,
  transactions,
];
