import { laneSuite } from "./lane-suite.js";

describe("a lane to PostgreSQL", function () {
  this.timeout(60_000);
  laneSuite("postgres");
});
