import type { ServiceContext } from "@lockstep/runtime";

/** Makes nodes of two-way sync ready by name, each once however many lanes ask at a time. */
export type ReadyNodes = (...names: readonly string[]) => Promise<void>;

/** What makes the nodes of a configuration ready; `undefined` where nothing is two-way. */
export async function readyNodes({ config, logger }: ServiceContext): Promise<ReadyNodes | undefined> {
  if (Object.keys(config.twoWay).length === 0) return undefined;
  // Loaded only then: what reads and writes a source costs memory.
  const { twoWayNodes } = await import("@lockstep/jobs");
  const nodes = new Map(twoWayNodes(config).map((node) => [node.name, node]));
  const underway = new Map<string, Promise<void>>();
  const said = new Set<string>();
  /** Lanes ask again and again: once is enough. */
  const say = (node: string, findings: readonly { readonly message: string }[]): void => {
    for (const { message } of findings) {
      const line = `${node}: ${message}`;
      if (said.has(line)) continue;
      said.add(line);
      logger.warn({ node, finding: message }, "a node of two-way sync is not as it should be");
    }
  };
  const ready = (name: string): Promise<void> => {
    let made = underway.get(name);
    if (made === undefined) {
      made = nodes
        .get(name)!
        .install()
        .then((findings) => say(name, findings))
        .finally(() => underway.delete(name));
      underway.set(name, made);
    }
    return made;
  };
  return async (...names) => void (await Promise.all(names.map(ready)));
}
