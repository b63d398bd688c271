// SPDX-License-Identifier: Apache-2.0
// Who this process is, as SPIFFE has it: an X.509 SVID and the trust bundles that came with it.

import type { CrosswireError } from '../model/error.ts';

/** spiffe.io, "The X.509 SPIFFE Verifiable Identity Document". */
export interface Identity {
  /** `spiffe://trust-domain/path`. */
  readonly spiffeId: string;
  /** PEM, leaf first, then intermediates. */
  readonly certificates: string;
  /** PEM, PKCS#8. */
  readonly privateKey: string;
  /** Of the leaf. */
  readonly notAfter: Date;
  /** Trust domain (without `spiffe://`) → PEM of its certificate authorities; the own one and federated ones. */
  readonly bundles: ReadonlyMap<string, string>;
}

/** An identity that may rotate while the process runs. */
export interface IdentitySource {
  /** The newest; undefined until the first arrives. */
  current(): Identity | undefined;
  /** Resolves with the first, or at once; rejects when the signal aborts. */
  ready(signal: AbortSignal): Promise<Identity>;
  /** Called after each rotation; the function it returns ends that. */
  onChange(listener: (identity: Identity) => void): () => void;
  /** Why there is none, or why the newest was not taken; undefined while all is well. */
  problem?(): CrosswireError | undefined;
  close(): void;
}
