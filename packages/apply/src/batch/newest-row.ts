import type { ChangeEvent, RowImage, TableSchema } from "@lockstep/core";
import { isPartial, mayBePartial } from "./merge-images.js";
import type { Part, PlannedWrite } from "./planned-changes.js";

/** What a row's events leave of it. The image stays text until its cells are asked for: a target may take it as it is. */
export class NewestRow implements PlannedWrite {
  readonly event: ChangeEvent;
  readonly part: Part;
  readonly schema: TableSchema;
  readonly partial: boolean;
  declare before?: string;
  private cells: RowImage | undefined;

  /** `cells`: the image, when it had to be merged. */
  constructor(
    readonly key: string,
    { event, part, schema }: Pick<PlannedWrite, "event" | "part" | "schema">,
    cells: RowImage | undefined,
  ) {
    this.event = event;
    this.part = part;
    this.schema = schema;
    this.cells = cells;
    this.partial = (cells !== undefined || mayBePartial(event.image ?? "")) && isPartial(this.image);
  }

  get image(): RowImage {
    return (this.cells ??= parsedImage(this.event));
  }

  get text(): string | undefined {
    return this.cells === undefined ? this.event.image : undefined;
  }
}

/** The cells of an event's image; none where it has none. */
export function parsedImage({ image }: ChangeEvent): RowImage {
  return image === undefined ? [] : (JSON.parse(image) as RowImage);
}
