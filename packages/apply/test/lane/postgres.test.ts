import { laneSuite } from "./lane-suite.js";

describe("a lane to PostgreSQL", () => {
  laneSuite("postgres");
});
