/**
 * What a replica holds of its primary. A mark is a text that stands for everything that was committed at the primary when it was taken; marks of one space can be
 * asked of every replica of that space, also in another process.
 */
export interface Freshness {
  /** Marks of another space mean nothing here. `kind:name`. */
  readonly space: string;
  /** A mark of all that is committed at the primary now. */
  mark(): Promise<string>;
  /** Whether the replica holds all of a mark. */
  has(mark: string): Promise<boolean>;
  close(): Promise<void>;
}
