import { conflictSuite } from "./conflict-suite.js";

describe("conflicts in PostgreSQL", () => {
  conflictSuite("postgres");
});
