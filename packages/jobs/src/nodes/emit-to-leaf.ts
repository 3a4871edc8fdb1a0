import type { RowEmitter, RowNote } from "@lockstep/core";

/**
 * Sends rows of a hub to a leaf that differs. A leaf leaves out what its own row has seen, and holds back what its row has not: so the hub writes such a row anew, over the leaf's version
 * of it, and every leaf takes it.
 */
export function emitterToLeaf(
  hub: Pick<RowEmitter, "reassert">,
  name: string,
  leaf: Pick<RowEmitter, "versions">,
): Pick<RowEmitter, "emit" | "emitOrDelete"> {
  const send = async (table: RowNote["table"], keys: readonly (readonly string[])[]): Promise<number> => {
    const versions = await leaf.versions(table.name, keys);
    return hub.reassert(
      table,
      name,
      keys.map((key, i) => ({ key, over: versions[i] })),
    );
  };
  return { emit: send, emitOrDelete: send };
}
