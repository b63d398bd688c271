// SPDX-License-Identifier: Apache-2.0
// Collects text as buffers and lets the event loop turn between them, so that a scrape of 10,000 wires holds up
// nothing else: strings grow to one chunk, then become bytes.

const chunkLength = 32 * 1024; // characters; small, so that little of it outlives a young garbage collection
const longestTurn = 3; // milliseconds

export class ChunkWriter {
  readonly #chunks: Buffer[] = [];
  #text = '';
  #turnBegan = performance.now();

  write(text: string): void {
    this.#text += text;
    if (this.#text.length >= chunkLength) this.#flush();
  }

  /** They must never change: one buffer may be part of several expositions. */
  writeBytes(bytes: Buffer | undefined): void {
    if (!bytes?.length) return;
    this.#flush();
    this.#chunks.push(bytes);
  }

  /** True when the caller should await `pause` before it goes on. */
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
