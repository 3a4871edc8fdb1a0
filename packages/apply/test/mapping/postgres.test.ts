import { mappingSuite } from "./mapping-suite.js";

describe("a mapping from PostgreSQL to PostgreSQL", () => {
  mappingSuite("postgres", "postgres");
});
