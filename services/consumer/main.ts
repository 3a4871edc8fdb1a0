import { runProcess } from "@lockstep/runtime";
import { startConsumer } from "./src/start-consumer.js";

await runProcess("consumer", startConsumer);
