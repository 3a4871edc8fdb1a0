import type { RowEmitter, RowNote } from "@lockstep/core";
import type { Pass } from "@lockstep/sync";

/** The way of rows from a hub to one of its leaves. */
interface ToLeaf {
  /** Name of the hub. */
  readonly name: string;
  readonly hub: Pick<RowEmitter, "reassert">;
  readonly leaf: Pick<RowEmitter, "versions">;
  /** Waits until the hub has applied what the leaf has captured. */
  readonly pass: Pass;
}

/**
 * Sends rows of a hub to a leaf that differs. A leaf leaves out what its own row has seen, and holds back what its row has not: so the hub writes such a row anew, over the leaf's version
 * of it, and every leaf takes it.
 */
export function emitterToLeaf({ name, hub, leaf, pass }: ToLeaf): Pick<RowEmitter, "emit" | "emitOrDelete"> {
  const send = async (table: RowNote["table"], keys: readonly (readonly string[])[]): Promise<number> => {
    const versions = await leaf.versions(table.name, keys);
    // A write of the leaf's that is still on its way would count as seen when it comes, and be lost (P2).
    await pass();
    return hub.reassert(
      table,
      name,
      keys.map((key, i) => ({ key, over: versions[i] })),
    );
  };
  return { emit: send, emitOrDelete: send };
}
