import { runProcess } from "@lockstep/runtime";
import { startRelays } from "./src/start-relays.js";

await runProcess("relay", startRelays);
