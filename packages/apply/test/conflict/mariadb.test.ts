import { conflictSuite } from "./conflict-suite.js";

describe("conflicts in MariaDB", function () {
  this.timeout(60_000);
  conflictSuite("mysql");
});
