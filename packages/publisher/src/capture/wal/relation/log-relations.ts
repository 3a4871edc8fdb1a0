import { LockstepError, tableId, type TableSchema } from "@lockstep/core";
import { type OutboxNames, readSchemas, type Connections } from "@lockstep/outbox/postgres";
import type { RelationMessage } from "../pgoutput/relation-message.js";
import { describeRelation, withoutGenerated } from "./describe-relation.js";
import type { OutboxSchema, Relation, Relations } from "./relation.js";

/** Where Lockstep's own tables of a target are. */
const targetSchema = "lockstep";

/** The tables of a source's log. */
export function logRelations(connections: Connections, { schema, s, table }: OutboxNames): Relations {
  const known = new Map<string, OutboxSchema>();
  return {
    async resolve(message) {
      const { namespace, name } = message;
      if (namespace === schema && name === table) return outboxRelation(message);
      if (namespace === targetSchema && name === "checkpoint") {
        return { kind: "checkpoint", source: columnOf(message, "source") };
      }
      if (namespace === targetSchema && name === "row_version") return versionRelation(message);
      return captured(connections, s, message);
    },
    outboxSchema: (fingerprint) => known.get(fingerprint),
    async learn(fingerprint) {
      const schemas = await connections.use((client) => readSchemas(client, s));
      for (const found of schemas) known.set(found.fingerprint, await outboxSchemaOf(connections, s, found));
      // A marker names no table.
      const schema = known.get(fingerprint) ?? { table: { namespace: "", name: "" }, schema: fingerprint };
      known.set(fingerprint, schema);
      return schema;
    },
  };
}

async function captured(connections: Connections, s: string, message: RelationMessage): Promise<Relation> {
  const { namespace, name, columns } = message;
  const described = await connections.use((client) => describeRelation(client, s, message));
  if (described.key.length === 0) {
    throw new LockstepError("TABLE_WITHOUT_PRIMARY_KEY", `no primary key: ${tableId(message)}`, {
      details: { tables: [tableId(message)] },
    });
  }
  const isBlind =
    message.identity === "i" &&
    !described.key.every((name) => columns.some((column) => column.name === name && column.isIdentity));
  const booleans = described.bases.map((base) => base === "bool");
  return {
    kind: "captured",
    table: { namespace, name },
    schema: described.fingerprint,
    key: described.key.map((column) => columns.findIndex((c) => c.name === column)),
    ...(isBlind && { isBlind }),
    ...(booleans.includes(true) && { booleans }),
  };
}

function outboxRelation(message: RelationMessage): Relation {
  const at = (column: string): number => columnOf(message, column);
  return {
    kind: "outbox",
    at: {
      op: at("op"),
      fingerprint: at("fingerprint"),
      key: at("key"),
      image: at("image"),
      before: at("before"),
      traceparent: at("traceparent"),
      origin: at("origin"),
      audience: at("audience"),
      version: at("version"),
    },
  };
}

function versionRelation(message: RelationMessage): Relation {
  const at = (column: string): number => columnOf(message, column);
  return {
    kind: "version",
    at: {
      table: at("table_name"),
      key: at("row_key"),
      stamp: at("stamp"),
      node: at("node"),
      seen: at("seen"),
      from: at("came_from"),
    },
  };
}

function columnOf({ columns }: RelationMessage, name: string): number {
  return columns.findIndex((column) => column.name === name);
}

/**
 * The log leaves out generated columns where the server can't publish them. A backfilled image that has them would set them once in a
 * target and never again, so they are left out of it too.
 */
async function outboxSchemaOf(
  connections: Connections,
  s: string,
  schema: TableSchema,
): Promise<OutboxSchema> {
  const { namespace, name, fingerprint, columns } = schema;
  const table = { namespace, name };
  if (!columns.some(({ generated }) => generated === true)) return { table, schema: fingerprint };
  const plain = await connections.use((client) => withoutGenerated(client, s, fingerprint));
  if (plain === undefined) return { table, schema: fingerprint };
  const keeps = columns.flatMap(({ name: column }, i) => (plain.gone.includes(column) ? [] : [i]));
  return { table, schema: plain.fingerprint, keeps };
}
