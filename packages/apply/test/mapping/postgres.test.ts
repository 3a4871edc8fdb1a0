import { mappingSuite } from "./mapping-suite.js";

describe("a mapping from PostgreSQL to PostgreSQL", function () {
  this.timeout(60_000);
  mappingSuite("postgres", "postgres");
});
