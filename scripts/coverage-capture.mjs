// npm run coverage:capture: install, build, measure what subscriber capture sees and write docs/coverage-capture.md.
import { runMain } from "./run-main.mjs";

await runMain("coverage", "dist", "src", "capture", "main.js");
