import { conflictSuite } from "./conflict-suite.js";

describe("conflicts in MariaDB", () => {
  conflictSuite("mysql");
});
