import { createConnection, type Connection, type RowDataPacket } from "mysql2/promise";
import { flavourOf, type Flavour } from "./flavour.js";
import { textLiteral } from "../sql/literal.js";
import { sessionPin } from "./session-pin.js";

/** Where and how to connect. */
export interface SessionOptions {
  readonly url: string;
  readonly database: string;
  /** Undefined: no limit (DDL). */
  readonly statementTimeoutMs: number | undefined;
  /** The source whose changes the session writes: where the target is itself captured by triggers, they know whose these are. */
  readonly origin?: string;
}

/** A connection with pinned settings. */
export interface PinnedConnection {
  readonly connection: Connection;
  readonly flavour: Flavour;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Breaks it at once. */
  drop(): void;
}

const connectTimeoutMs = 10_000;

/** Connects and pins. Throws the driver's error. */
export async function connectPinned(options: SessionOptions): Promise<PinnedConnection> {
  const connection = await createConnection({
    uri: options.url,
    database: options.database,
    charset: "utf8mb4",
    multipleStatements: true,
    rowsAsArray: false,
    connectTimeout: connectTimeoutMs,
    connectAttributes: { program_name: "lockstep" },
    enableKeepAlive: true,
    // affectedRows counts the rows found, changed or not: the checkpoint's compare-and-set depends on it.
    flags: ["FOUND_ROWS", "-LOCAL_FILES", "-IGNORE_SPACE"],
    typeCast: (field) => field.string(),
  });
  const drop = (): void => streamOf(connection).destroy();
  const ended = new Promise<void>((resolve) => {
    connection.on("error", () => resolve());
    connection.on("end", () => resolve());
    streamOf(connection).once("close", () => resolve());
  });
  // The driver's own limit ends with the handshake.
  const guard = setTimeout(drop, connectTimeoutMs);
  try {
    const [rows] = await connection.query<RowDataPacket[]>(
      "SELECT VERSION() AS version, @@max_allowed_packet AS bytes",
    );
    const flavour = flavourOf(String(rows[0]?.["version"]), Number(rows[0]?.["bytes"]));
    await connection.query(sessionPin(flavour, options.statementTimeoutMs));
    if (options.origin !== undefined)
      await connection.query(`SET @lockstep_origin = ${textLiteral(options.origin)}`);
    return { connection, flavour, ended, drop };
  } catch (error) {
    drop();
    throw error;
  } finally {
    clearTimeout(guard);
  }
}

/** The part of the driver's connection that its types leave out. */
interface Underlying {
  readonly connection: {
    readonly stream: { destroy(): void; once(event: "close", listener: () => void): void };
  };
}

function streamOf(connection: Connection): Underlying["connection"]["stream"] {
  return (connection as unknown as Underlying).connection.stream;
}
