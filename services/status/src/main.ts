#!/usr/bin/env node
import { runProcess } from "@lockstep/runtime";
import { startStatus } from "./start-status.js";

await runProcess("status", startStatus);
