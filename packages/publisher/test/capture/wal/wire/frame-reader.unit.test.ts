import { expect } from "chai";
import fc from "fast-check";
import { FrameReader } from "../../../../src/capture/wal/wire/frame-reader.js";

interface Message {
  readonly type: number;
  readonly body: string;
}

function framed({ type, body }: Message): Buffer {
  const head = Buffer.alloc(5);
  head[0] = type;
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, Buffer.from(body, "latin1")]);
}

const message = fc.record({
  type: fc.integer({ min: 65, max: 122 }),
  body: fc.oneof(
    fc.string({ unit: "binary-ascii", maxLength: 40 }),
    // More than is held usually.
    fc.integer({ min: 1, max: 3 }).map((n) => String(n).repeat(200_000 * n)),
  ),
});

describe("frame reader", () => {
  it("gives the messages as they were sent, however they come in and whoever asks for a pause", () => {
    const property = fc.property(
      fc.array(message, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 10 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      (messages, sizes, answers) => {
        const bytes = Buffer.concat(messages.map(framed));
        const reader = new FrameReader();
        const found: Message[] = [];
        const take = (type: number, data: Buffer, start: number, end: number): boolean => {
          found.push({ type, body: data.toString("latin1", start, end) });
          return answers[found.length % answers.length]!;
        };
        for (let at = 0, n = 0; at < bytes.length; n++) {
          const chunk = Buffer.from(bytes.subarray(at, at + sizes[n % sizes.length]!));
          at += chunk.length;
          reader.push(chunk);
          // As a socket does, which uses its memory for something else.
          chunk.fill(0);
          if (n % 2 === 0) reader.drain(take);
        }
        for (let n = 0; n <= messages.length; n++) reader.drain(take);
        expect(found).to.deep.equal(messages);
      },
    );
    fc.assert(property, { numRuns: 50 });
  });
});
