import { boundHeap, runProcess } from "@lockstep/runtime";
import { startConsumer } from "./src/start-consumer.js";

boundHeap();
await runProcess("consumer", startConsumer);
