import type { Engine } from "../table-schema.js";

/**
 * Reads the tables of one database beside its writers, over a connection of its own: what two databases are compared by. Sources and targets have
 * one alike. Texts of values don't depend on the server's settings: times are in UTC, floats have all their digits.
 */
export interface TableReader {
  readonly engine: Engine;
  /** Where this database holds all tables, whatever their namespace at the source; absent: each in its own. */
  readonly namespace?: string;
  /** Runs one statement that changes nothing; each value is the text that the server printed. Throws the driver's error. */
  rows(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  close(): Promise<void>;
}
