import { LockstepError } from "@lockstep/core";
import { ByteReader } from "../event/byte-reader.js";
import type { Flavour } from "../event/column-type.js";
import { type EventHeader, eventType, headerBytes } from "../event/event-header.js";
import { splitFileName, tickAt } from "./place.js";

const wrap = 2 ** 32;
const checksumBytes = 4;
const versionAt = 2;
const versionBytes = 50;

/** Follows which file a reader is in, and where: positions in events wrap at 4 GB, and files end. */
export class FileFollower {
  base = "";
  /** When the server began the file, seconds since 1970. */
  stamp = 0;
  flavour: Flavour = "mysql";
  private file = 0;
  private high = 0;
  private last = 0;
  private checksum = 0;

  /** `asked`: the file that the server was asked for. */
  constructor(private readonly asked: string) {}

  /** Where the last event ended, as a tick. */
  get boundary(): bigint {
    return tickAt({ file: this.file, offset: this.last });
  }

  /** Takes note of an event; returns where it begins in the file. */
  advance({ end, size, isArtificial }: EventHeader): number {
    if (isArtificial || end === 0) return this.last;
    if (end + this.high < this.last) this.high += wrap;
    this.last = end + this.high;
    return this.last - size;
  }

  /** An event's body without header and checksum. */
  bodyOf(event: Buffer): Buffer {
    return event.subarray(headerBytes, event.length - this.checksum);
  }

  /** ROTATE: another file begins. The first one of a connection names the file that was asked for. */
  rotate(event: Buffer, isArtificial: boolean): void {
    const reader = new ByteReader(event, headerBytes);
    const offset = Number(reader.u64());
    const rest = reader.text(reader.left - this.checksum);
    // Whether a checksum follows is only known from the description of a file, which comes behind the first of these.
    const name = this.file === 0 && rest.startsWith(this.asked) ? this.asked : rest;
    const next = splitFileName(name);
    if (isArtificial && next.file === this.file && next.base === this.base) return;
    this.base = next.base;
    this.file = next.file;
    this.last = offset;
    this.high = 0;
    this.stamp = 0;
  }

  /** FORMAT_DESCRIPTION: which server wrote the file, and whether its events carry checksums. */
  describe(event: Buffer, { at }: EventHeader): void {
    const body = event.subarray(headerBytes);
    const version = body.toString("latin1", versionAt, versionAt + versionBytes);
    if (body.readUInt16LE(0) !== 4) {
      throw new LockstepError("CAPTURE_LOG_UNREADABLE", "the log's format is not version 4");
    }
    this.flavour = version.includes("MariaDB") ? "mariadb" : "mysql";
    this.checksum = body[body.length - checksumBytes - 1] === 1 ? checksumBytes : 0;
    this.stamp = at;
  }
}

/** Kinds of events that belong to the file itself. */
export function isAboutFile(type: number): boolean {
  return type === eventType.rotate || type === eventType.formatDescription || type === eventType.stop;
}
