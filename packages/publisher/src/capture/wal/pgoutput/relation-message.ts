/** A table as the log describes it before its first change, and again after it was altered. */
export interface RelationMessage {
  readonly id: number;
  readonly namespace: string;
  readonly name: string;
  /** `d`: old keys are sent; `f`: whole old rows. */
  readonly identity: string;
  readonly columns: readonly {
    readonly name: string;
    /** Part of what old rows are known by. */
    readonly isIdentity: boolean;
    readonly type: number;
    readonly typmod: number;
  }[];
}

/** Reads the body of a Relation message (after its letter). */
export function readRelation(bytes: Buffer, at: number): RelationMessage {
  let p = at;
  const text = (): string => {
    const end = bytes.indexOf(0, p);
    const read = bytes.toString("utf8", p, end);
    p = end + 1;
    return read;
  };
  const id = bytes.readUInt32BE(p);
  p += 4;
  // An empty name stands for pg_catalog.
  const namespace = text() || "pg_catalog";
  const name = text();
  const identity = String.fromCharCode(bytes[p++]!);
  const count = bytes.readInt16BE(p);
  p += 2;
  const columns = Array.from({ length: count }, () => {
    const isIdentity = (bytes[p++]! & 1) === 1;
    const column = text();
    const type = bytes.readUInt32BE(p);
    const typmod = bytes.readInt32BE(p + 4);
    p += 8;
    return { name: column, isIdentity, type, typmod };
  });
  return { id, namespace, name, identity, columns };
}
