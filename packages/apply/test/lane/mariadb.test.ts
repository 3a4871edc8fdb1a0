import { laneSuite } from "./lane-suite.js";

describe("a lane to MariaDB", function () {
  this.timeout(60_000);
  laneSuite("mysql");
});
