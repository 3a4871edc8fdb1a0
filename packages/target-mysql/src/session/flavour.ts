/** What differs between the servers that speak this protocol. */
export interface Flavour {
  readonly product: "mariadb" | "mysql";
  readonly version: string;
  /** utf8mb4 collation that compares bytes and doesn't ignore trailing spaces (PROTOCOL.md 32). */
  readonly exactCollation: string;
  /** Fraction digits that DECIMAL can hold. */
  readonly maxScale: number;
  readonly maxPacketBytes: number;
}

/** Reads the flavour off `VERSION()` and `@@max_allowed_packet`. */
export function flavourOf(version: string, maxPacketBytes: number): Flavour {
  return /mariadb/i.test(version)
    ? { product: "mariadb", version, exactCollation: "utf8mb4_nopad_bin", maxScale: 38, maxPacketBytes }
    : { product: "mysql", version, exactCollation: "utf8mb4_0900_bin", maxScale: 30, maxPacketBytes };
}
