// SPDX-License-Identifier: Apache-2.0
// Collects the text of an exposition in buffers. The caller can pause between them, so that a scrape of 10,000 wires does not
// block the event loop.

const chunkLength = 32 * 1024; // characters; small, so that few strings survive a young-generation garbage collection
const longestTurn = 3; // milliseconds

export class ChunkWriter {
  readonly #chunks: Buffer[] = [];
  #text = '';
  #turnBegan = performance.now();

  write(text: string): void {
    this.#text += text;
    if (this.#text.length >= chunkLength) this.#flush();
  }

  /** The bytes must not change afterwards: one buffer may be part of several expositions. */
  writeBytes(bytes: Buffer | undefined): void {
    if (!bytes?.length) return;
    this.#flush();
    this.#chunks.push(bytes);
  }

  /** Whether the caller should await `pause` before it goes on. */
  get due(): boolean {
    return performance.now() - this.#turnBegan > longestTurn;
  }

  async pause(): Promise<void> {
    await new Promise((resume) => setImmediate(resume));
    this.#turnBegan = performance.now();
  }

  finish(): Buffer[] {
    this.#flush();
    return this.#chunks;
  }

  #flush(): void {
    if (this.#text !== '') this.#chunks.push(Buffer.from(this.#text));
    this.#text = '';
  }
}
