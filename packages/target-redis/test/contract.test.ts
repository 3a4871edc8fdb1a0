import { targetContract } from "@lockstep/testing/target-contract";
import { openFixture } from "./redis-fixture.js";

targetContract("redis", openFixture, { transactions: false, letters: false });
