// SPDX-License-Identifier: Apache-2.0
// The SPIFFE identity of this process: an X.509 SVID and the trust bundles that came with it.

import type { CrosswireError } from '../model/error.ts';

/** spiffe.io, "The X.509 SPIFFE Verifiable Identity Document". */
export interface Identity {
  /** `spiffe://trust-domain/path`. */
  readonly spiffeId: string;
  /** PEM, leaf first, then intermediates. */
  readonly certificates: string;
  /** PEM, PKCS#8. */
  readonly privateKey: string;
  /** When the leaf expires. */
  readonly notAfter: Date;
  /** Trust domain (without `spiffe://`) → PEM of its certificate authorities; our own and federated ones. */
  readonly bundles: ReadonlyMap<string, string>;
}

/** An identity that may rotate while the process runs. */
export interface IdentitySource {
  /** The newest identity; undefined until the first arrives. */
  current(): Identity | undefined;
  /** Waits for the first identity; rejects when the signal aborts. */
  ready(signal: AbortSignal): Promise<Identity>;
  /** The listener is called after each rotation, until the returned function is called. */
  onChange(listener: (identity: Identity) => void): () => void;
  /** Why there is no identity, or why the newest was not taken; undefined while all is well. */
  problem?(): CrosswireError | undefined;
  close(): void;
}
