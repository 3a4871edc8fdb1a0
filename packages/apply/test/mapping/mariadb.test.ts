import { mappingSuite } from "./mapping-suite.js";

describe("a mapping from PostgreSQL to MariaDB", () => {
  mappingSuite("postgres", "mysql");
});
