import { runProcess } from "@lockstep/runtime";
import { startStatus } from "./src/start-status.js";

await runProcess("status", startStatus);
