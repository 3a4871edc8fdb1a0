// npm run coverage:values: install, build, send every value through every capture to every target, write docs/coverage-values.md.
import { runMain } from "./run-main.mjs";

await runMain("coverage", "dist", "src", "values", "main.js");
