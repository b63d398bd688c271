// SPDX-License-Identifier: Apache-2.0

/** Keys of gRPC metadata, as NSM spells them (networkservicemesh/sdk, pkg/networkservice/common/grpcmetadata). */
export const metadataKey = {
  token: 'nsm-client-token',
  tokenExpires: 'nsm-client-token-expires',
  /** JSON; only in calls of registries. */
  path: 'path',
} as const;
