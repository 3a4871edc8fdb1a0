import { type TableSchema, tableId } from "../table-schema.js";
import { compile } from "./compile.js";
import type { RowMapping } from "./row-mapping.js";
import { discriminators, targetNames } from "./shared-tables.js";
import { type Sealer, sealerOf } from "./seal.js";
import type { TableMapping, TargetMapping } from "./table-mapping.js";

/** A target's mapping, as lanes, verify and backfill obey it. */
export interface Mapping {
  /** Into which tables the rows of a schema go; empty when they are left out, `undefined` when they go as they are. */
  routes(schema: TableSchema): readonly RowMapping[] | undefined;
  /** Everything in the mapping that doesn't fit this schema, each as one line; empty when all does. */
  problems(schema: TableSchema): readonly string[];
  /** Source tables that the configuration names. */
  readonly tables: readonly string[];
  /** Hides in letters what the target is not to see; absent without a secret. */
  readonly sealer?: Sealer;
}

type Compiled = { readonly routes?: readonly RowMapping[]; readonly problems: readonly string[] };

/**
 * Makes it of the configuration, which has passed {@link mappingProblems}. `secret` keys the hashes.
 */
export function mappingOf(
  map: TargetMapping,
  options: { readonly secret?: string | undefined } = {},
): Mapping {
  const known = new Map<string, Compiled>();
  const telling = discriminators(map);
  const taken = targetNames(map);

  function compiled(schema: TableSchema): Compiled {
    let found = known.get(schema.fingerprint);
    if (found === undefined) known.set(schema.fingerprint, (found = compileAll(schema)));
    return found;
  }

  function compileAll(schema: TableSchema): Compiled {
    const [name, specs] = entryOf(map, schema);
    if (specs === false) return { routes: [], problems: [] };
    if (specs === undefined) return asItIs(schema, taken);
    const routes: RowMapping[] = [];
    const problems: string[] = [];
    for (const spec of specs) {
      const to = spec.to ?? schema.name;
      const made = compile(schema, spec, { ...options, discriminator: telling.get(to) });
      if ("mapRow" in made) routes.push(made);
      else problems.push(...made.map((problem) => `map["${name}"] → ${to}: ${problem}`));
    }
    return { routes, problems };
  }

  return {
    routes: (schema) => compiled(schema).routes,
    problems: (schema) => compiled(schema).problems,
    tables: Object.keys(map).filter((name) => name !== "*"),
    ...(options.secret === undefined ? {} : { sealer: sealerOf(options.secret) }),
  };
}

function entryOf(
  map: TargetMapping,
  schema: TableSchema,
): readonly [string, readonly TableMapping[] | false | undefined] {
  const name = [tableId(schema), schema.name, "*"].find((one) => Object.hasOwn(map, one));
  const entry = name === undefined ? undefined : map[name];
  if (name === undefined || entry === undefined) return ["", undefined];
  return [name, entry === false ? false : [entry].flat()];
}

// Rows of a table that isn't mapped would lie among those of one that is, and a TRUNCATE of either would take both.
function asItIs(schema: TableSchema, taken: ReadonlySet<string>): Compiled {
  if (!taken.has(schema.name)) return { problems: [] };
  const what = `${tableId(schema)} isn't mapped and would be written to ${schema.name}, into which another table is mapped: map it, too, or leave it out (false)`;
  return { problems: [what] };
}
