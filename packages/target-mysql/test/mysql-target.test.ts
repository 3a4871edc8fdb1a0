import { targetContract } from "@lockstep/testing/target-contract";
import { openMysqlFixture } from "./mysql-fixture.js";

targetContract("mysql", openMysqlFixture);
