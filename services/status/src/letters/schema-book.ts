import type { TableSchema } from "@lockstep/core";
import type { FleetSource } from "../fleet/fleet.js";

const mostSchemas = 2000;

/** Finds schemas by fingerprint, for column names, and remembers them: a fingerprint never means anything else later. */
export interface SchemaBook {
  /** `undefined` when it isn't known; asking never fails, because names are a comfort. */
  find(source: string, fingerprint: string): Promise<TableSchema | undefined>;
  /** The schema of that table that was seen last. */
  latest(source: string, table: string): TableSchema | undefined;
}

/** Opens an empty book over the sources' readers. */
export function openSchemaBook(sources: readonly FleetSource[]): SchemaBook {
  const known = new Map<string, TableSchema>();
  const latest = new Map<string, TableSchema>();

  async function find(sourceName: string, fingerprint: string): Promise<TableSchema | undefined> {
    const id = `${sourceName}\n${fingerprint}`;
    const remembered = known.get(id);
    if (remembered !== undefined) return remembered;
    const source = sources.find((s) => s.name === sourceName);
    const ask = source?.reader.schema;
    if (source === undefined || ask === undefined) return undefined;
    const schema = await source.door
      .share(`schema ${fingerprint}`, () => ask.call(source.reader, fingerprint))
      .catch(() => undefined);
    if (schema !== undefined) remember(id, sourceName, schema);
    return schema;
  }

  function remember(id: string, source: string, schema: TableSchema): void {
    if (known.size >= mostSchemas) known.delete(known.keys().next().value!);
    known.set(id, schema);
    latest.set(`${source}\n${schema.namespace}.${schema.name}`, schema);
  }

  return { find, latest: (source, table) => latest.get(`${source}\n${table}`) };
}
