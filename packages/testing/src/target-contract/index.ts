import { contractContext } from "./contract-context.js";
import type { ContractTiers, TargetFixture } from "./fixture.js";
import { lanesContract } from "./lanes.js";
import { rowsContract } from "./rows.js";
import { transactionsContract } from "./transactions.js";

export type { ContractTiers, TargetFixture } from "./fixture.js";

/**
 * The contract of `Target`, as mocha tests: `targetContract("postgres", openFixture)` is the whole test file of a target.
 * `open` gives an empty database each time; `tiers` says what the target can do.
 */
export function targetContract(
  name: string,
  open: () => Promise<TargetFixture>,
  { transactions = true }: ContractTiers = {},
): void {
  describe(`target contract: ${name}`, function () {
    this.timeout(60_000);
    describe("lanes and checkpoints", () => lanesContract(contractContext(open)));
    describe("rows", () => rowsContract(contractContext(open)));
    if (transactions) describe("transactions", () => transactionsContract(contractContext(open)));
  });
}
