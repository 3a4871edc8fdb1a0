import { mappingSuite } from "./mapping-suite.js";

describe("a mapping from PostgreSQL to MariaDB", function () {
  this.timeout(60_000);
  mappingSuite("postgres", "mysql");
});
