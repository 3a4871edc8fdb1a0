import { conflictSuite } from "./conflict-suite.js";

describe("conflicts in PostgreSQL", function () {
  this.timeout(60_000);
  conflictSuite("postgres");
});
