// SPDX-License-Identifier: Apache-2.0
// A budget for the memory of messages, for all callers and for each identity. A call counts as the largest message until its
// message has arrived, and then as that message until the call ends.

export interface ReceiptLimits {
  readonly messageBytes: number;
  /** Bytes, for one identity and for all together. */
  readonly bytesOfOne: number;
  readonly bytesOfAll: number;
}

/** The share of one call. */
export interface Receipt {
  received(bytes: number): void;
  /** Idempotent. */
  end(): void;
}

export class Receipts {
  readonly #limits: ReceiptLimits;
  readonly #held = new Map<string, number>();
  #all = 0;

  constructor(limits: ReceiptLimits) {
    this.#limits = limits;
  }

  /** For one more call of the identity; undefined where there is no room. */
  begin(spiffeId: string): Receipt | undefined {
    const { messageBytes, bytesOfOne, bytesOfAll } = this.#limits;
    const own = this.#held.get(spiffeId) ?? 0;
    if (own + messageBytes > bytesOfOne || this.#all + messageBytes > bytesOfAll) return undefined;
    let counted = 0;
    const count = (bytes: number) => {
      this.#add(spiffeId, bytes - counted);
      counted = bytes;
    };
    count(messageBytes);
    let ended = false;
    return {
      received: (bytes) => {
        if (!ended) count(bytes);
      },
      end: () => {
        ended = true;
        count(0);
      },
    };
  }

  #add(spiffeId: string, bytes: number): void {
    this.#all += bytes;
    const own = (this.#held.get(spiffeId) ?? 0) + bytes;
    if (own > 0) this.#held.set(spiffeId, own);
    else this.#held.delete(spiffeId);
  }
}

const sizes = new WeakMap<object, number>();

/** The deserializer, which also remembers the size of each message on the wire. */
export function measured<Message>(deserialize: (bytes: Buffer) => Message): (bytes: Buffer) => Message {
  return (bytes) => {
    const message = deserialize(bytes);
    sizes.set(message as object, bytes.length);
    return message;
  };
}

export function sizeOf(message: object): number {
  return sizes.get(message) ?? 0;
}
