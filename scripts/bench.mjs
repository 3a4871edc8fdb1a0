// npm run bench: install, build, run a measured comparison. Arguments go to it (npm run bench -- end-to-end --json).
import { runMain } from "./run-main.mjs";

await runMain("bench", "dist", "src", "main.js");
