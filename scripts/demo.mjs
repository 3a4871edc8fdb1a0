// npm run demo: install, build, run the shop with its own servers. Arguments go to the demo (npm run demo -- --seconds 5).
import { runMain } from "./run-main.mjs";

await runMain("examples", "shop", "dist", "src", "demo.js");
