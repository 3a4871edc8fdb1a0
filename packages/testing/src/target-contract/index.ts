import { bulkContract } from "./bulk.js";
import { type ContractContext, contractContext } from "./contract-context.js";
import type { ContractTiers, TargetFixture } from "./fixture.js";
import { foreignKeysContract } from "./foreign-keys.js";
import { guardedContract } from "./guarded.js";
import { keysContract } from "./keys.js";
import { lanesContract } from "./lanes.js";
import { letterDeskContract } from "./letter-desk.js";
import { lettersContract } from "./letters.js";
import { refusalsContract } from "./refusals.js";
import { rowsContract } from "./rows.js";
import { schemasContract } from "./schemas.js";
import { sinksContract } from "./sinks.js";
import { stagingContract } from "./staging.js";
import { transactionsContract } from "./transactions.js";
import { uniquesContract } from "./uniques.js";
import { valuesContract } from "./values.js";
import { versionsContract } from "./versions.js";

// For a target's own tests beside the contract.
export { type ContractContext, contractContext } from "./contract-context.js";
export { type ContractLane, incarnation, letterWrite, openLane } from "./contract-lane.js";
export { contractTable } from "./contract-table.js";
export type { ContractTiers, TargetFixture } from "./fixture.js";
export { type LossyProxy, startLossyProxy } from "./lossy-proxy.js";
export { rejection } from "./rejection.js";

/**
 * The contract of `Target`, as mocha tests: `targetContract("postgres", openFixture)` is the whole test file of a target.
 * `open` gives an empty database each time; `tiers` says what the target can do.
 */
export function targetContract(
  name: string,
  open: () => Promise<TargetFixture>,
  { transactions = true, letters = true }: ContractTiers = {},
): void {
  describe(`target contract: ${name}`, () => {
    const tier = (title: string, tests: (context: ContractContext) => void): void => {
      describe(title, () => tests(contractContext(open)));
    };
    tier("lanes and checkpoints", lanesContract);
    tier("rows", rowsContract);
    tier("values", valuesContract);
    if (letters) {
      tier("letters", lettersContract);
      tier("letter desk", letterDeskContract);
    }
    if (!transactions) return tier("stores without transactions", sinksContract);
    tier("schemas", schemasContract);
    tier("keys and seeding", keysContract);
    tier("rows past the stream", bulkContract);
    tier("refusals", refusalsContract);
    tier("transactions", transactionsContract);
    tier("unique values", uniquesContract);
    tier("foreign keys", foreignKeysContract);
    tier("staging", stagingContract);
    tier("versions of rows", versionsContract);
    tier("rows that others write, too", guardedContract);
  });
}
