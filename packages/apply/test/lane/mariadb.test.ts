import { laneSuite } from "./lane-suite.js";

describe("a lane to MariaDB", () => {
  laneSuite("mysql");
});
