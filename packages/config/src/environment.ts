/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

type Tree = Record<string, unknown>;

/**
 * Lays the environment over a configuration that was read from a file; the environment wins. A source or target in a name is
 * upper-case with `_` for `-`. Unknown `LOCKSTEP_` variables are left alone.
 *
 * | variable | overrides |
 * |---|---|
 * | `LOCKSTEP_REDIS_URL` | `redis` |
 * | `LOCKSTEP_SOURCE_<NAME>_URL`, `…_STATE_STORE_URL` | `sources.<name>.url`, `.stateStore` |
 * | `LOCKSTEP_TARGET_<NAME>_URL` | `targets.<name>.url` |
 * | `LOCKSTEP_TARGET_<NAME>_MASK_SECRET`, `…_STATE_URL`, `…_SECRET` | `targets.<name>.maskSecret`, `.state`, `.secret` |
 * | `LOCKSTEP_STATUS_HOST`, `LOCKSTEP_STATUS_PORT`, `LOCKSTEP_TOKEN` | `status.host`, `status.port`, `status.token` |
 * | `LOCKSTEP_LOG_LEVEL` | `logLevel` |
 */
export function withEnvironment(file: unknown, environment: Environment): unknown {
  if (!isTree(file)) return file;
  const config: Tree = { ...file };
  put(config, ["redis"], environment["LOCKSTEP_REDIS_URL"]);
  put(config, ["logLevel"], environment["LOCKSTEP_LOG_LEVEL"]);
  put(config, ["status", "host"], environment["LOCKSTEP_STATUS_HOST"]);
  put(config, ["status", "token"], environment["LOCKSTEP_TOKEN"]);
  const port = environment["LOCKSTEP_STATUS_PORT"];
  put(config, ["status", "port"], port !== undefined && /^\d+$/.test(port) ? Number(port) : port);
  for (const [room, word] of [
    ["sources", "SOURCE"],
    ["targets", "TARGET"],
  ] as const) {
    const entries = config[room];
    if (!isTree(entries)) continue;
    for (const name of Object.keys(entries)) {
      const prefix = `LOCKSTEP_${word}_${name.toUpperCase().replaceAll("-", "_")}`;
      put(config, [room, name, "url"], environment[`${prefix}_URL`]);
      if (room === "sources") {
        put(config, [room, name, "stateStore"], environment[`${prefix}_STATE_STORE_URL`]);
        continue;
      }
      put(config, [room, name, "maskSecret"], environment[`${prefix}_MASK_SECRET`]);
      put(config, [room, name, "state"], environment[`${prefix}_STATE_URL`]);
      put(config, [room, name, "secret"], environment[`${prefix}_SECRET`]);
    }
  }
  return config;
}

function put(tree: Tree, path: readonly string[], value: string | number | undefined): void {
  if (value === undefined || value === "") return;
  const [first, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) {
    tree[first] = value;
    return;
  }
  const below = tree[first];
  if (below !== undefined && !isTree(below)) return; // wrong already: validation names it
  const copy: Tree = { ...below };
  tree[first] = copy;
  put(copy, rest, value);
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
