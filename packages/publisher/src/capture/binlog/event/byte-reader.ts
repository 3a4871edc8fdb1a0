/** Reads the binlog's little-endian fields one after another. */
export class ByteReader {
  constructor(
    readonly buffer: Buffer,
    public at = 0,
  ) {}

  get left(): number {
    return this.buffer.length - this.at;
  }

  u8(): number {
    return this.buffer[this.at++]!;
  }

  u16(): number {
    this.at += 2;
    return this.buffer.readUInt16LE(this.at - 2);
  }

  u32(): number {
    this.at += 4;
    return this.buffer.readUInt32LE(this.at - 4);
  }

  u48(): number {
    this.at += 6;
    return this.buffer.readUIntLE(this.at - 6, 6);
  }

  u64(): bigint {
    this.at += 8;
    return this.buffer.readBigUInt64LE(this.at - 8);
  }

  /** An unsigned number of up to six bytes. */
  uint(bytes: number): number {
    this.at += bytes;
    return this.buffer.readUIntLE(this.at - bytes, bytes);
  }

  /** A big-endian unsigned number of up to six bytes. */
  uintBE(bytes: number): number {
    this.at += bytes;
    return this.buffer.readUIntBE(this.at - bytes, bytes);
  }

  /** MySQL's packed integer. */
  packed(): number {
    const first = this.u8();
    if (first < 251) return first;
    if (first === 252) return this.u16();
    if (first === 253) return this.uint(3);
    return Number(this.u64());
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }

  skip(length: number): void {
    this.at += length;
  }

  text(length: number): string {
    this.at += length;
    return this.buffer.toString("utf8", this.at - length, this.at);
  }
}
