// SPDX-License-Identifier: Apache-2.0

/** Of gRPC's metadata, as NSM spells them (networkservicemesh/sdk, pkg/networkservice/common/grpcmetadata). */
export const metadataKey = {
  token: 'nsm-client-token',
  tokenExpires: 'nsm-client-token-expires',
  /** JSON, of registry calls only. */
  path: 'path',
} as const;
