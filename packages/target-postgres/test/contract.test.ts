import { targetContract } from "@lockstep/testing/target-contract";
import { openFixture } from "./fixture.js";

targetContract("postgres", openFixture);
